"""What the timers start: each job opens with its run as a numbered list and follows it."""
