"""Telling others: heartbeats to a service that watches that the jobs run."""
