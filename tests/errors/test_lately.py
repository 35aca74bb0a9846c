"""What a visitor is told who comes before the gateway knows that an app is open again."""

from __future__ import annotations

import pytest

import builders as b
from haikube.api.kernel.observed import Kind, Observed
from haikube.cluster.fake import FakeCluster
from haikube.errors.answers import APP_CRASHED, MAINTENANCE, NO_DYNOS, STARTING, Answer
from haikube.errors.lately import Lately
from haikube.model.resources import APPS, FORMATIONS


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def observed() -> Observed:
    return Observed(FakeCluster(), (Kind(APPS), Kind(FORMATIONS)))


@pytest.fixture
def clock() -> Clock:
    return Clock()


def place(obj: b.Raw) -> tuple[str, str]:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


CRASHED = {"readyReplicas": 0, "conditions": [{"type": "Ready", "reason": "AppCrashed"}]}


@pytest.mark.parametrize(
    ("old", "new", "other", "before"),
    [
        (b.app(maintenance="Enabled"), b.app(), b.formation(), MAINTENANCE),
        (b.formation(quantity=0), b.formation(), b.app(), NO_DYNOS),
        (b.formation(status=CRASHED), b.formation(), b.app(), APP_CRASHED),
        (b.formation(), b.formation(), b.app(), STARTING),
    ],
)
def test_for_some_seconds_an_app_is_what_it_was(
    observed: Observed, clock: Clock, old: b.Raw, new: b.Raw, other: b.Raw, before: Answer
) -> None:
    lately = Lately(observed, clock)
    observed.put(APPS if other["kind"] == "App" else FORMATIONS, other)
    app = place(other if other["kind"] == "App" else old)

    lately.hear(APPS if old["kind"] == "App" else FORMATIONS, old, new)

    assert lately.answer(app, STARTING) is before
    assert lately.answer(app, NO_DYNOS) is NO_DYNOS
    clock.now += 6
    assert lately.answer(app, STARTING) is STARTING


def test_another_process_type_and_what_comes_or_goes_say_nothing(
    observed: Observed, clock: Clock
) -> None:
    lately = Lately(observed, clock)
    observed.put(APPS, b.app())
    worker = b.formation("worker", 0)

    lately.hear(FORMATIONS, worker, b.formation("worker"))
    lately.hear(FORMATIONS, None, b.formation(quantity=0))
    lately.hear(FORMATIONS, b.formation(quantity=0), None)

    assert lately.answer(place(b.app()), STARTING) is STARTING
