"""Webhooks: what happens to an app is told to the addresses that its people named."""
