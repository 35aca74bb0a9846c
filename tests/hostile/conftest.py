"""Builds that mean harm, on the local cluster: minutes each, so they are a suite of their own."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the cluster, and time."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.hostile)
            item.add_marker(pytest.mark.timeout(900))
