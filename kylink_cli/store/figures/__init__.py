"""What only counts: for reports, metrics, checks and lists, a fixed number of statements each."""
