"""Where items come from: one adapter per kind of supplier, one protocol, one family of errors."""
