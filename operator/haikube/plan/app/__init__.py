"""App: config, declared builds, the ledger, formations, adoption, history and status."""
