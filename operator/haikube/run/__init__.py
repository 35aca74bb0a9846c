"""Sessions with one-off dynos."""
