"""Dyno: one command that runs once beside the formation (``heroku run``)."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from haikube.model.formation import DEFAULT_SIZE
from haikube.model.meta import Meta, Raw, parse_meta, ref_name

DEFAULT_TTL = 3600


@dataclass(frozen=True, slots=True)
class Dyno:
    """The declared one-off run; ``command`` is empty when a process type is to be run."""

    meta: Meta
    app: str
    command: str
    process_type: str
    size: str
    env: Mapping[str, str]
    attach: bool
    tty: bool
    ttl: int
    keep: int | None
    status: Raw

    @property
    def ended(self) -> bool:
        """Return whether it is over, whatever becomes of its pod."""
        return self.status.get("state") in {"Complete", "Crashed"}


def parse_dyno(obj: Raw) -> Dyno:
    """Return the Dyno in a raw object."""
    spec = obj.get("spec") or {}
    return Dyno(
        meta=parse_meta(obj),
        app=ref_name(spec, "appRef"),
        command=command_line(spec.get("command") or []),
        process_type=spec.get("processType") or "",
        size=spec.get("size") or DEFAULT_SIZE,
        env={each["name"]: each["value"] for each in spec.get("env") or ()},
        attach=bool(spec.get("attach")),
        tty=bool(spec.get("attach")) and spec.get("tty", True),
        ttl=spec.get("ttlSeconds") or DEFAULT_TTL,
        keep=spec.get("keepSeconds"),
        status=obj.get("status") or {},
    )


def command_line(words: list[str]) -> str:
    """Return what bash is given: one word is a whole line, several are quoted words.

    >>> command_line(["rake db:migrate && true"]), command_line(["echo", "a b"])
    ('rake db:migrate && true', "echo 'a b'")
    """
    return words[0] if len(words) == 1 else shlex.join(words)
