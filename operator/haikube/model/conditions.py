"""Conditions: observations that kubectl, Flux, Argo CD and kstatus read without a rule of ours.

Long-running kinds carry ``Ready``, and ``Reconciling`` or ``Stalled`` only while they are True.
Run-to-completion kinds carry ``Succeeded`` beside that trio. A plan states a ``Verdict``; the
conditions follow from it here and nowhere else, so no kind can contradict itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from haikube.model.times import format_time

READY = "Ready"
RECONCILING = "Reconciling"
STALLED = "Stalled"
SUCCEEDED = "Succeeded"

NEGATIVE = frozenset({RECONCILING, STALLED})
"""Types that are bad news while True, and absent otherwise."""

OWNED: Mapping[str, tuple[str, ...]] = {
    "App": (
        READY,
        RECONCILING,
        STALLED,
        "ConfigReady",
        "BuildSucceeded",
        "Released",
        "ProcessesAvailable",
        "RouteAdmitted",
    ),
    "Build": (SUCCEEDED, READY, RECONCILING, STALLED, "SourceReady", "SlugStored"),
    "Release": (SUCCEEDED, READY, RECONCILING, STALLED, "Healthy"),
    "Formation": (READY, RECONCILING, STALLED),
    "Dyno": (SUCCEEDED, READY, RECONCILING, STALLED),
    "Stack": (READY, RECONCILING, STALLED),
}
"""Every condition type that a plan may set, per kind; docs/spec explains each."""

MESSAGE_LIMIT = 2048


class State(Enum):
    """What a verdict says about the declared state."""

    READY = "reached"
    PROGRESSING = "on its way"
    STALLED = "not reached, and only a change from outside helps"
    IDLE = "not reached, and nothing is under way because nothing was asked for"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of a chain of decisions: one state, one documented reason, one sentence."""

    state: State
    reason: str
    message: str

    @property
    def is_ready(self) -> bool:
        """Return whether the declared state is reached."""
        return self.state is State.READY

    @property
    def is_stalled(self) -> bool:
        """Return whether somebody has to act."""
        return self.state is State.STALLED


def ready(reason: str, message: str) -> Verdict:
    """Return the verdict that all is as declared."""
    return Verdict(State.READY, reason, message)


def progressing(reason: str, message: str) -> Verdict:
    """Return the verdict that the declared state is on its way."""
    return Verdict(State.PROGRESSING, reason, message)


def stalled(reason: str, message: str) -> Verdict:
    """Return the verdict that somebody has to act; the message says how."""
    return Verdict(State.STALLED, reason, message)


def idle(reason: str, message: str) -> Verdict:
    """Return the verdict that nothing is under way because nothing was asked for."""
    return Verdict(State.IDLE, reason, message)


@dataclass(frozen=True, slots=True)
class Condition:
    """One observation, before it gets its generation and its time."""

    type: str
    status: str
    reason: str
    message: str


_TRUE, _FALSE, _UNKNOWN = "True", "False", "Unknown"
_READY_STATUS = {State.READY: _TRUE, State.PROGRESSING: _UNKNOWN}
_ABNORMAL = {State.PROGRESSING: RECONCILING, State.STALLED: STALLED}


def observation(
    kind: str,
    *,
    holds: bool | None,
    reason: str,
    message: str,
) -> Condition:
    """Return a detail condition; ``holds`` None means that it is not known yet."""
    status = _UNKNOWN if holds is None else str(holds)
    return Condition(kind, status, reason, message[:MESSAGE_LIMIT])


def detail(kind: str, verdict: Verdict) -> Condition:
    """Return a verdict about one part as a detail condition."""
    status = _READY_STATUS.get(verdict.state, _FALSE)
    return Condition(kind, status, verdict.reason, verdict.message[:MESSAGE_LIMIT])


def trio(verdict: Verdict) -> tuple[Condition, ...]:
    """Return ``Ready``, and the abnormal condition that explains why it is not True."""
    main = detail(READY, verdict)
    abnormal = _ABNORMAL.get(verdict.state)
    if abnormal is None:
        return (main,)
    return (main, Condition(abnormal, _TRUE, main.reason, main.message))


def completion(verdict: Verdict) -> tuple[Condition, ...]:
    """Return ``Succeeded`` and the trio of a kind that runs to an end."""
    return (detail(SUCCEEDED, verdict), *trio(verdict))


def stamp(
    previous: Sequence[Mapping[str, Any]],
    wanted: Iterable[Condition],
    generation: int,
    now: datetime,
) -> list[dict[str, Any]]:
    """Return conditions as written to a status.

    ``lastTransitionTime`` is kept while the status of a condition does not change.
    """
    before = {each.get("type"): each for each in previous}
    return [_stamped(each, before.get(each.type), generation, now) for each in wanted]


def _stamped(
    wanted: Condition, before: Mapping[str, Any] | None, generation: int, now: datetime
) -> dict[str, Any]:
    kept = before if before and before.get("status") == wanted.status else {}
    return {
        "type": wanted.type,
        "status": wanted.status,
        "reason": wanted.reason,
        "message": wanted.message,
        "observedGeneration": generation,
        "lastTransitionTime": kept.get("lastTransitionTime") or format_time(now),
    }


def find(status: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return one condition of a raw status, empty when it is absent."""
    conditions = status.get("conditions") or ()
    return next((each for each in conditions if each.get("type") == kind), {})
