"""How a build ended, judged from its Job, its pods and its stored result.

What the pod says counts as soon as it is final: exit 0 and exit 1 are. Any other exit is the
cluster's doing; the Job tries once more, and its own verdict counts when it gives up.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from haikube.model.job import Job
from haikube.model.pod import Ended, Pod
from haikube.plan.result import Broken, Built, InvalidResult, Result, parse_result


@dataclass(frozen=True, slots=True)
class Lost:
    """A build that the cluster broke off, or that left no result."""

    reason: str
    message: str


Outcome = Built | Broken | Lost

_OF_DISK = re.compile("ephemeral|emptydir")
_FINAL_EXITS = frozenset({0, 1})
LAST_EXITS = _FINAL_EXITS | {137}
"""Exit codes after which the Job makes no other pod: of 137 only the Job says what it was."""
_OUT_OF_MEMORY = Lost(
    "BuildOutOfMemory",
    "the build needed more memory than a build pod has; make it need less, or raise "
    "HAIKUBE_BUILD_MEMORY",
)
_NO_RESULT = Lost("BuildResultMissing", "the build ended without a result; push again")
_DISK_FULL = Lost(
    "DiskFull",
    "the build used more disk than a build pod has; make it write less, or raise "
    "HAIKUBE_BUILD_DISK",
)
_STOPPED = Lost("BuildLost", "the build pod was stopped from outside, twice; push again")


def judge(
    job: Job | None,
    pods: Sequence[Pod],
    stored: Result | None,
    *,
    stored_missing: bool = False,
) -> Outcome | None:
    """Return how the build ended, or None while it has not, or while only the storage knows."""
    newest = max(pods, key=lambda each: each.meta.age_key, default=None)
    if newest is not None and _disk_full(newest):
        return _DISK_FULL  # the engine knows only that it was stopped
    if stored is not None:
        return _trusted(stored)
    ended = newest.ended if newest else None
    if ended is not None and ended.exit_code in _FINAL_EXITS and ended.message:
        return _final(ended, stored_missing=stored_missing)
    if ended is not None and ended.reason == "OOMKilled":
        return _OUT_OF_MEMORY
    if job is None or not job.over:
        return None
    return _given_up(job, pods, ended, stored_missing=stored_missing)


def _final(ended: Ended, *, stored_missing: bool) -> Outcome | None:
    try:
        result = parse_result(ended.message)
    except InvalidResult as error:
        return Lost("BuildResultInvalid", f"the result of the build cannot be used: {error}")
    if isinstance(result, Built) and result.truncated:
        return _NO_RESULT if stored_missing else None
    return _trusted(result)


def _given_up(
    job: Job, pods: Sequence[Pod], ended: Ended | None, *, stored_missing: bool
) -> Outcome | None:
    if job.failure == "DeadlineExceeded":
        return Lost("BuildTimedOut", "the build ran into its time limit; make it faster")
    if any(_disk_full(pod) for pod in pods):
        return _DISK_FULL
    if ended is not None and ended.message:
        return _final(ended, stored_missing=stored_missing)
    if not stored_missing or any(pod.ended is None and not pod.over for pod in pods):
        return None  # the pod's own word is still on its way: two watches keep no common order
    return _NO_RESULT if job.complete else _STOPPED


def _disk_full(pod: Pod) -> bool:
    """Return whether a pod went over a limit of its own; a node that is full is no fault of it."""
    text = pod.message.lower()
    return pod.reason == "Evicted" and "exceed" in text and _OF_DISK.search(text) is not None


def _trusted(result: Result) -> Outcome:
    """Return a result as an outcome; only ``spec.cancel`` may say that a build was canceled."""
    if isinstance(result, Broken) and result.reason == "Canceled":
        return _STOPPED
    return result
