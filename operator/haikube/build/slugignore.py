"""``.slugignore``: files that are removed from the source before any buildpack sees it.

Roughly ``.gitignore`` without ``!``: a leading ``/`` anchors a pattern to the root, all others
match at any depth; ``*`` and ``?`` stay within one folder, ``**`` does not; a trailing ``/``
matches folders only.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from re import Pattern

from haikube.build.archive import remove_tree
from haikube.build.plainfile import read_plain

FILE_NAME = ".slugignore"
_MAX_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Rule:
    """One line of the file."""

    pattern: Pattern[str]
    folders_only: bool

    def matches(self, path: str, *, folder: bool) -> bool:
        """Tell whether a path, relative to the root, is to be removed."""
        return (folder or not self.folders_only) and self.pattern.fullmatch(path) is not None


def parse_slugignore(text: str) -> Sequence[Rule]:
    """Return the rules of a ``.slugignore``; negated lines mean nothing and are left out."""
    lines = (line.strip() for line in text.splitlines())
    return [_rule(line) for line in lines if line.strip("/") and line[0] not in "#!"]


def apply_slugignore(root: Path) -> int:
    """Remove what the ``.slugignore`` of ``root`` names; returns how many entries that were."""
    content = read_plain(root / FILE_NAME, _MAX_BYTES)
    if content is None:
        return 0
    rules = parse_slugignore(content.decode("utf-8", "replace"))
    doomed = list(_matching(root, rules)) if rules else []
    for path in doomed:
        remove_tree(path)
    return len(doomed)


def _matching(root: Path, rules: Sequence[Rule]) -> Iterator[Path]:
    start = len(f"{root}/")
    for folder, subfolders, files in os.walk(root):
        kept = []
        for name in subfolders:
            path = f"{folder}/{name}"  # a Path for each would take most of the time
            if _doomed(path[start:], rules, folder=not Path(path).is_symlink()):
                yield Path(path)
            else:
                kept.append(name)
        subfolders[:] = kept
        for name in files:
            path = f"{folder}/{name}"
            if _doomed(path[start:], rules, folder=False):
                yield Path(path)


def _doomed(path: str, rules: Sequence[Rule], *, folder: bool) -> bool:
    return any(rule.matches(path, folder=folder) for rule in rules)


def _rule(line: str) -> Rule:
    folders_only = line.endswith("/")
    body = line.strip("/")
    anywhere = "" if line.startswith("/") else "(?:.*/)?"
    return Rule(re.compile(anywhere + _regex(body), re.DOTALL), folders_only)


def _regex(pattern: str) -> str:
    tokens = re.finditer(r"/\*\*/|\*\*/|/\*\*|\*+|\?|\[!?\]?[^\]/]*\]|\\?.", pattern, re.DOTALL)
    return "".join(_piece(token[0]) for token in tokens)


def _piece(token: str) -> str:
    wild = {
        "/**/": "/(?:.*/)?",
        "**/": "(?:.*/)?",
        "/**": "/.*",
        "**": ".*",
        "*": "[^/]*",
        "?": "[^/]",
    }
    if token in wild:
        return wild[token]
    if set(token) == {"*"}:
        return ".*"
    if token.startswith("[") and len(token) > 1:
        return _character_class(token)
    return re.escape(token[-1])


def _character_class(token: str) -> str:
    body = token[1:-1]
    negated, body = body.startswith("!"), body.removeprefix("!")
    escaped = re.sub(r"([\[\]\\^&~|])", r"\\\1", body)
    text = f"[{'^' if negated else ''}{escaped}]"
    try:
        re.compile(text)
    except re.error:
        return re.escape(token)
    return text
