"""How any run goes, whichever job it is of: its lock and record, its writes, its early end, what it tells of."""
