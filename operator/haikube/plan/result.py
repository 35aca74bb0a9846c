"""The result a build pod leaves behind: JSON from untrusted code, checked before it is believed."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from haikube.model.names import PROCESS_TYPE
from haikube.model.screen import clean
from haikube.model.source import ProcessType

RESULT_LIMIT = 1 << 20
"""Bytes of a stored result that are read."""

FAILURES = frozenset(
    {
        "SourceUnavailable",
        "SourceInvalid",
        "SourceTooLarge",
        "BuildpackNotFound",
        "BuildpackInvalid",
        "NoBuildpackMatches",
        "CompileFailed",
        "ReleaseScriptFailed",
        "ProcfileInvalid",
        "NoProcessTypes",
        "InvalidConfigVar",
        "SlugTooLarge",
        "BuildTimedOut",
        "BuildOutOfMemory",
        "StorageUnavailable",
        "Canceled",
        "DiskFull",
        "TooManyProcesses",
    }
)
"""Reasons that the build engine may give."""

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_MOST_TYPES = 256
_LONGEST_COMMAND = 32_768
_LONGEST_NAME = 256
_LONGEST_MESSAGE = 1024


class InvalidResult(ValueError):
    """The text is no result; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Built:
    """A build that made a slug; ``truncated`` when the process types are only in the storage."""

    digest: str
    size: int
    process_types: tuple[ProcessType, ...]
    buildpacks: tuple[str, ...]
    language: str
    truncated: bool


@dataclass(frozen=True, slots=True)
class Broken:
    """A build that the app's code made fail."""

    reason: str
    message: str


Result = Built | Broken


def parse_result(text: str) -> Result:
    """Return the result in a termination message or in the storage."""
    try:
        raw = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidResult("it is not JSON") from error
    if not isinstance(raw, dict):
        raise InvalidResult("it is not a JSON object")
    return _built(raw) if raw.get("ok") is True else _broken(raw)


def _broken(raw: Mapping[str, Any]) -> Broken:
    reason, message = raw.get("reason"), raw.get("message")
    if reason not in FAILURES or not isinstance(message, str):
        raise InvalidResult(f"it has no documented failure reason, but {str(reason)[:60]!r}")
    return Broken(reason, clean(message)[:_LONGEST_MESSAGE])


def _built(raw: Mapping[str, Any]) -> Built:
    slug = raw.get("slug")
    digest, size = (
        (slug.get("digest"), slug.get("sizeBytes")) if isinstance(slug, dict) else ("", 0)
    )
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise InvalidResult("its slug has no sha256 digest")
    if type(size) is not int or size <= 0:
        raise InvalidResult("its slug has no size")
    return Built(
        digest=digest,
        size=size,
        process_types=_process_types(raw.get("processTypes") or []),
        buildpacks=_words(raw.get("buildpacks") or []),
        language=clean(str(raw.get("language") or ""))[:_LONGEST_NAME],
        truncated=raw.get("truncated") is True,
    )


def _process_types(raw: object) -> tuple[ProcessType, ...]:
    if not isinstance(raw, list) or len(raw) > _MOST_TYPES:
        raise InvalidResult(f"its process types are no list of at most {_MOST_TYPES}")
    return tuple(_process_type(each) for each in raw)


def _process_type(raw: object) -> ProcessType:
    name, command = (raw.get("name"), raw.get("command")) if isinstance(raw, dict) else ("", "")
    if not isinstance(name, str) or not PROCESS_TYPE.fullmatch(name):
        raise InvalidResult(f"it has a process type named {str(name)[:60]!r}")
    if not isinstance(command, str) or not 0 < len(command) <= _LONGEST_COMMAND:
        raise InvalidResult(f"its process type {name} has no command, or one that is too long")
    return ProcessType(name, command)


def _words(raw: object) -> tuple[str, ...]:
    if not isinstance(raw, list) or not all(isinstance(each, str) for each in raw):
        raise InvalidResult("its buildpacks are no list of names")
    return tuple(clean(each)[:_LONGEST_NAME] for each in raw[:_MOST_TYPES])
