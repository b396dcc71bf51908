"""From a condition to the people who should know: posting, delivery, and what an operator does with an alert."""
