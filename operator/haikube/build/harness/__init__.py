"""Builds and boots an app without a cluster: the real engine and process 1 in a stack's files."""
