"""Files that operators hand in, read and checked: pure parsing, without a database."""
