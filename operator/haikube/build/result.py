"""What a build hands back: JSON in the termination message, and in full in the storage."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from haikube.build.failure import BuildFailure
from haikube.build.transfer import Fetched

TERMINATION_BYTES: Final = 4096
_MESSAGE_CHARS: Final = 1500


@dataclass(frozen=True, slots=True)
class Built:
    """A build that made a slug."""

    slug: Fetched
    process_types: Mapping[str, str]
    buildpacks: Sequence[str]
    language: str
    commit: str

    def document(self) -> dict[str, Any]:
        """Return the JSON form that the operator reads."""
        return {
            "ok": True,
            "slug": {"digest": self.slug.digest, "sizeBytes": self.slug.size},
            "processTypes": [
                {"name": name, "command": command} for name, command in self.process_types.items()
            ],
            "buildpacks": list(self.buildpacks),
            "language": self.language,
            "commit": self.commit,
            "truncated": False,
        }


def failed(failure: BuildFailure) -> dict[str, Any]:
    """Return the JSON form of a failure."""
    message = failure.message
    if len(message) > _MESSAGE_CHARS:
        message = message[:_MESSAGE_CHARS] + "…"
    return {"ok": False, "reason": str(failure.reason), "message": message}


def termination_message(document: Mapping[str, Any]) -> bytes:
    """Return the document in at most 4096 bytes; process types are left out before all else."""
    whole = encoded(document)
    if len(whole) <= TERMINATION_BYTES:
        return whole
    short = {key: value for key, value in document.items() if key != "processTypes"}
    return encoded({**short, "truncated": True})


def encoded(document: Mapping[str, Any]) -> bytes:
    """Return the document as compact JSON."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
