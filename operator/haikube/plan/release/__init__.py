"""Release: requests, snapshot and slug URL, release phase, health and status."""
