"""Decisions: pure functions from what is observed to what should be written; no I/O, no clock."""
