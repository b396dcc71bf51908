"""The JSON documents of the contract (section 3), as types: what `--json` prints, and what the HTTP face answers."""
