"""One-off dynos that somebody is attached to."""
