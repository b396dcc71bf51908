"""The report: one HTML page that needs no network; pure, from figures to text."""
