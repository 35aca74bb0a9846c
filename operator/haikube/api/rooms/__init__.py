"""One module per resource: its endpoints and what they do."""
