"""git smart HTTP: receives pushes and serves fetches."""
