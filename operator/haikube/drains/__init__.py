"""Sends the logs of apps to where their people want them."""
