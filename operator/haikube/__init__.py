"""Haikube: Heroku on your own Kubernetes."""
