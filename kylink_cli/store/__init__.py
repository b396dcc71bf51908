"""Everything that is SQL: the database, its tables and one function per statement."""
