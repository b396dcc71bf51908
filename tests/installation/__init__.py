"""A pristine Debian from its first command on: what README and the guides say, word by word."""
