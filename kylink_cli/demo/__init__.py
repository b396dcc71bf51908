"""The demo: sample campaigns, a supply service on loopback, and a tour through both."""
