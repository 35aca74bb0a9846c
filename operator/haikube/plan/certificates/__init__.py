"""Certificates of all apps: who may have which name, and what the gateway is given."""
