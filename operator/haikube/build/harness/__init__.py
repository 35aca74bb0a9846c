"""Builds and boots an app without a cluster: the real engine and launcher in a stack's files."""
