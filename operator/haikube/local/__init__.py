"""The local cluster: kind, or a native node where no Docker engine runs."""
