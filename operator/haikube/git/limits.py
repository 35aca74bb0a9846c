"""What git may take of the platform: room, time and company, as the settings say."""

from __future__ import annotations

from dataclasses import dataclass

from haikube.settings import Settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, durations in seconds."""

    source: int
    """Of one push, and of the packed source of one build."""

    repository: int
    """Of all that the refs of one repository need, packed."""

    refs: int
    memory: int
    """Of one git process."""

    push_seconds: float
    fetch_seconds: float
    pushes: int
    fetches: int
    """At once in one process."""

    each: int
    """Pushes, and fetches, of one person among them."""


def limits_of(settings: Settings) -> Limits:
    """Return the limits that the platform's operators have set."""
    return Limits(
        source=settings.source_limit,
        repository=settings.git_repository_limit,
        refs=settings.git_refs_limit,
        memory=settings.git_memory,
        push_seconds=settings.push_timeout,
        fetch_seconds=settings.fetch_timeout,
        pushes=settings.git_pushes,
        fetches=settings.git_fetches,
        each=settings.git_each,
    )
