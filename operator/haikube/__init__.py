"""Haikube: Heroku on your own Kubernetes."""

__version__ = "0.1.0"
