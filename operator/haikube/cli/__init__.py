"""The ``haikube`` command."""
