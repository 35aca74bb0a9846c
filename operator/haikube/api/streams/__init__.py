"""Answers that go on: what builds and release commands print."""
