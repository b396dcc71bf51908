"""What can be configured: each setting a field, where values come from, and what is said of bad ones."""
