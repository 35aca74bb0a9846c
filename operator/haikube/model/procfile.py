"""The Procfile grammar: one ``type: command`` per line.

It is not YAML: ``web: a: b`` is the command ``a: b``. Pure text in, types and remarks out; reading
the file and deciding what a missing process type means belong to the caller.
"""

from __future__ import annotations

import re
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from dataclasses import dataclass, field

from haikube.model.names import PROCESS_TYPE

MAX_BYTES = 256 * 1024
"""A Procfile larger than this is refused before it is parsed."""

_ENTRY = re.compile(rf"\s*(?P<type>{PROCESS_TYPE.pattern})\s*:\s*(?P<command>.*)", re.ASCII)
_QUOTED = re.compile(r"(?P<quote>[\"'])(?:(?!(?P=quote)).)*\s(?:(?!(?P=quote)).)*(?P=quote)")
_SHOWN = 60
_KNOWN = {
    "web": "gets no requests, only the type web does",
    "release": "does not run before a release, only the type release does",
}


class ProcfileError(ValueError):
    """A Procfile that cannot be understood; the text names the line and the remedy."""


@dataclass(slots=True)
class Procfile:
    """Commands by process type in the order of the file, and what its author may not have meant."""

    types: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


def read_procfile(content: bytes) -> Procfile:
    """Return what a file holds; raises ``ProcfileError``.

    As on Heroku, a line that is no entry is left out and the last of several of one type counts;
    both are remarked.
    """
    found = Procfile()
    if content.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        found.remarks.append(
            "The Procfile is UTF-16, which other tools do not read: save it as UTF-8."
        )
    before = ""
    for number, line in enumerate(_decode(content).split("\n"), start=1):
        text = line.strip()
        if text and not text.startswith("#"):
            _refuse_continuation(number, before, line)
            _take(found, number, text)
        before = text
    return found


def _take(found: Procfile, number: int, text: str) -> None:
    match = _ENTRY.fullmatch(text)
    if not match:
        found.remarks.append(_left_out(number, text))
        return
    process_type, command = match["type"], match["command"].strip()
    if not command:
        found.remarks.append(
            f"Procfile line {number}: the type {process_type} has no command and is left out."
        )
        return
    if process_type in found.types:
        found.remarks.append(
            f"Procfile line {number}: the type {process_type} is declared twice, "
            "and this line counts."
        )
    found.types[process_type] = command
    found.remarks += _remarks(number, process_type, command)


def _remarks(number: int, process_type: str, command: str) -> list[str]:
    meant = _KNOWN.get(process_type.lower()) if process_type not in _KNOWN else None
    said = [f"Procfile line {number}: {process_type} {meant}."] if meant else []
    if _QUOTED.fullmatch(command):
        said.append(
            f"Procfile line {number}: the whole command is quoted, so the shell looks for a "
            "program of that name: remove the quotes."
        )
    return said


def _refuse_continuation(number: int, before: str, line: str) -> None:
    """Refuse what goes on with the line before: it would run without its end."""
    if before.endswith("\\") and (line[:1].isspace() or not _ENTRY.fullmatch(line.strip())):
        raise ProcfileError(
            f"Procfile line {number - 1} ends in \\ and goes on in the next, but a command is one "
            "line; write it as one, or put it into a script and name that"
        )


def _decode(content: bytes) -> str:
    if len(content) > MAX_BYTES:
        raise ProcfileError(
            f"Procfile has {len(content)} bytes, at most {MAX_BYTES} are read; "
            "move long commands into scripts"
        )
    wide = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    if b"\0" in content and not wide:
        raise ProcfileError("Procfile holds NUL bytes; save it as UTF-8 text")
    try:
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise ProcfileError(
            f"Procfile is not {'UTF-16' if wide else 'UTF-8'} (byte {error.start}); "
            "save it as UTF-8 text"
        ) from error
    if "\0" in text:
        raise ProcfileError("Procfile holds NUL bytes; save it as UTF-8 text")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _left_out(number: int, text: str) -> str:
    shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return (
        f"Procfile line {number} is not 'type: command' and is left out: {shown!r}; "
        "a type is made of letters, digits, - and _, for example 'web: python app.py'"
    )
