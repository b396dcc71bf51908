"""kylink keeps every advertising campaign's stock of single-use items filled, unattended."""

__version__ = "0.1.0"
