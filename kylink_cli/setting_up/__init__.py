"""Setting a host up: the answers of its operator become settings, and commands follow from them."""
