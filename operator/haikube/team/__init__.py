"""Namespaces of teams: what belongs into one, and making it or bringing it up to date.

The manifests in ``manifests/extras/team`` are the template. Nothing here ever removes anything.
"""
