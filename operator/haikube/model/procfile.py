"""The Procfile grammar: one ``type: command`` per line.

It is not YAML: ``web: a: b`` is the command ``a: b``. Pure text in, mapping out; reading the file
and deciding what a missing process type means belong to the caller.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from haikube.model.names import PROCESS_TYPE

MAX_BYTES = 256 * 1024
"""A Procfile larger than this is refused before it is parsed."""

_ENTRY = re.compile(rf"\s*(?P<type>{PROCESS_TYPE.pattern})\s*:\s*(?P<command>.*\S)\s*", re.ASCII)
_SHOWN = 60


class ProcfileError(ValueError):
    """A Procfile that cannot be understood; the text names the line and the remedy."""


def parse_procfile(content: bytes) -> Mapping[str, str]:
    """Return the commands by process type, in the order of the file; a repeated type is refused."""
    types: dict[str, str] = {}
    for number, line in enumerate(_decode(content).split("\n"), start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        process_type, command = _entry(number, text)
        if process_type in types:
            raise ProcfileError(
                f"Procfile line {number}: process type '{process_type}' is declared twice; "
                "keep one of the two lines"
            )
        types[process_type] = command
    return types


def _decode(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise ProcfileError(
            f"Procfile has {len(content)} bytes, at most {MAX_BYTES} are read; "
            "move long commands into scripts"
        )
    if b"\0" in content:
        raise ProcfileError("Procfile holds NUL bytes; save it as UTF-8 text")
    try:
        return content.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise ProcfileError(
            f"Procfile is not UTF-8 (byte {error.start}); save it as UTF-8 text"
        ) from error


def _entry(number: int, text: str) -> tuple[str, str]:
    match = _ENTRY.fullmatch(text)
    if match:
        return match["type"], match["command"]
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    raise ProcfileError(
        f"Procfile line {number} is not 'type: command': {shown!r}; "
        "a type is made of letters, digits, - and _, for example 'web: python app.py'"
    )
