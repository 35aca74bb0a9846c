"""Reads what ``bin/release`` prints: a small corner of YAML, read without a YAML library.

Understood: top-level keys, ``default_process_types`` as a mapping of one-line scalars, plain or
quoted, and as a flow mapping. Whatever else stands there (add-ons, config vars) is passed over.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from haikube.model.names import PROCESS_TYPE

_KEY = re.compile(
    r"(?P<indent> *)(?P<key>\"[^\"]*\"|'[^']*'|[^\s:#'\"{\[-][^:]*):(?:\s+(?P<value>.*))?"
)
_TYPES = "default_process_types"
_MAX_TYPES = 200


class ReleaseError(ValueError):
    """Output of ``bin/release`` that cannot be read; the text names the line."""


def default_process_types(content: bytes) -> Mapping[str, str]:
    """Return the default commands by process type."""
    text = content.decode("utf-8", "replace").replace("\t", " ")
    inside = False
    depth: int | None = None
    types: dict[str, str] = {}
    for number, line in _lines(text):
        match = _KEY.fullmatch(line)
        if match is None:
            if inside:
                raise ReleaseError(f"line {number} is not 'type: command': {line.strip()!r}")
            continue
        indent = len(match["indent"])
        key, value = _scalar(match["key"]), (match["value"] or "").strip()
        if indent == 0:
            inside, depth = key == _TYPES, None
            if inside and value:
                types.update(_flow(number, value))
                inside = False
            continue
        if inside:
            depth = indent if depth is None else depth
            if indent != depth or not value:
                raise ReleaseError(f"line {number} is not 'type: command': {line.strip()!r}")
            types[key] = _scalar(value)
    return _checked(types)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        if stripped and not stripped.startswith("#") and stripped not in {"---", "...", "--- {}"}:
            yield number, line.rstrip()


def _scalar(text: str) -> str:
    """Return a plain, single- or double-quoted scalar."""
    if text.startswith("'") and text.endswith("'") and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text.startswith('"') and text.endswith('"') and len(text) > 1:
        try:
            return str(json.loads(text))
        except ValueError:
            return text[1:-1]
    return re.split(r"\s+#", text, maxsplit=1)[0].strip()


def _flow(number: int, value: str) -> Mapping[str, str]:
    if value in {"{}", "null", "~"}:
        return {}
    try:
        found = json.loads(value)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise ReleaseError(f"line {number}: {_TYPES} is no mapping: {value!r}")
    return {str(key): str(command) for key, command in found.items()}


def _checked(types: Mapping[str, str]) -> Mapping[str, str]:
    if len(types) > _MAX_TYPES:
        raise ReleaseError(f"{len(types)} process types, at most {_MAX_TYPES} are taken")
    for name in types:
        if not PROCESS_TYPE.fullmatch(name):
            raise ReleaseError(f"{name!r} is no process type: letters, digits, - and _")
    return types
