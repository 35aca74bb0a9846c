"""What the operator looks at, and when."""

from __future__ import annotations

import pytest

import builders as b
from haikube.cluster.fake import FakeCluster
from haikube.engine.clock import FakeClock
from haikube.engine.worker import Key
from haikube.model.resources import APPS, RELEASES, SECRETS, Resource
from haikube.storage.memory import MemoryStorage
from stage import control


@pytest.mark.parametrize(("compared", "looks"), [(APPS, True), (RELEASES, False), (SECRETS, False)])
async def test_all_is_looked_at_once_in_a_round_of_comparisons(
    compared: Resource, *, looks: bool
) -> None:
    operator = control(FakeCluster(), MemoryStorage(), FakeClock())
    operator.store.put(APPS, None, b.app())
    operator.lead()
    while operator.queue.depth:
        operator.queue.done(await operator.queue.get())

    operator._compared(compared)

    taken = [await operator.queue.get() for _ in range(operator.queue.depth)]
    assert (Key(APPS.kind, b.NAMESPACE, "hello") in taken) == looks
