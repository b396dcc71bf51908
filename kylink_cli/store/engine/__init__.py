"""What every statement stands on: transactions, the two dialects and their errors, the clock, the schema."""
