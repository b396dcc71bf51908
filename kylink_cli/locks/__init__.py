"""Locks between processes: one run of a job at a time, and the proof that a run is alive."""
