"""The domain's rules: pure functions that import only the standard library and are handed the time."""
