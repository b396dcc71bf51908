"""Looking after a database as a whole: backing up, checking, copying, weighing it."""
