"""The end-to-end suite: a logged-in person with a scratch home, on the local cluster.

Nothing here is faked: the ``haikube`` and ``git`` commands run as a user runs them, against the
cluster that ``make up`` made. Every app gets a name of its own and is deleted afterwards.
"""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder needs the cluster."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.cluster)
            item.add_marker(pytest.mark.timeout(900))
