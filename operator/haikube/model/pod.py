"""Pod: what the kubelet reports about one pod of ours, reduced to what decisions need.

The text in a pod's status comes from untrusted code: it is cut to a length here and never
becomes part of a key, a name or a command.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from haikube.model import labels
from haikube.model.meta import Meta, Raw, parse_meta
from haikube.model.times import parse_time

TERMINATION_MESSAGE_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class Ended:
    """A container that has come to an end."""

    exit_code: int
    reason: str
    message: str
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def seconds(self) -> float:
        """Return how long it ran; 0 when that is not known."""
        if self.started_at is None or self.finished_at is None:
            return 0.0
        return (self.finished_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod with its only container."""

    meta: Meta
    phase: str
    reason: str
    message: str
    waiting: str
    waiting_message: str
    running_since: datetime | None
    ended: Ended | None
    last: Ended | None
    ready: bool
    restarts: int
    unschedulable: str
    node: str

    @property
    def dyno(self) -> str:
        """Return the name it was given, for example ``web.1``, or empty."""
        return self.meta.annotations.get(labels.DYNO, "")

    @property
    def prepared(self) -> bool:
        """Return whether its node is still making what its container needs."""
        return self.waiting == "ContainerCreating" and not self.meta.deleting

    @property
    def over(self) -> bool:
        """Return whether it will never run again."""
        return self.meta.deleting or self.phase in {"Succeeded", "Failed"}


def parse_pod(obj: Raw) -> Pod:
    """Return the Pod in a raw object."""
    status = obj.get("status") or {}
    container: Raw = next(iter(status.get("containerStatuses") or ()), {})
    state = container.get("state") or {}
    waiting = state.get("waiting") or {}
    running = state.get("running") or {}
    return Pod(
        meta=parse_meta(obj),
        phase=status.get("phase") or "Pending",
        reason=status.get("reason") or "",
        message=status.get("message") or "",
        waiting=waiting.get("reason") or "",
        waiting_message=waiting.get("message") or "",
        running_since=_time(running.get("startedAt")),
        ended=_ended(state.get("terminated")),
        last=_ended((container.get("lastState") or {}).get("terminated")),
        ready=bool(container.get("ready")),
        restarts=container.get("restartCount") or 0,
        unschedulable=_unschedulable(status),
        node=(obj.get("spec") or {}).get("nodeName") or "",
    )


def _time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None


def _ended(raw: Raw | None) -> Ended | None:
    if not raw:
        return None
    return Ended(
        exit_code=raw.get("exitCode", 0),
        reason=raw.get("reason") or "",
        message=(raw.get("message") or "")[:TERMINATION_MESSAGE_LIMIT],
        started_at=_time(raw.get("startedAt")),
        finished_at=_time(raw.get("finishedAt")),
    )


def _unschedulable(status: Raw) -> str:
    for each in status.get("conditions") or ():
        if each.get("type") == "PodScheduled" and each.get("reason") == "Unschedulable":
            return each.get("message") or "no node has room"
    return ""
