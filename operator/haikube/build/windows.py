"""Files as Windows saves them: scripts that would not run, and texts that nobody would understand.

Linux looks for an interpreter whose name ends in a CR. PowerShell writes UTF-16 and Notepad a byte
order mark, which tools pass over in silence: the version that such a file names is then not heard
of. So these are mended before a buildpack or a dyno reads one, and named. All else stays as it is.
"""

from __future__ import annotations

import os
from codecs import BOM_UTF8, BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from haikube.build.misnamed import PROCFILE, READ
from haikube.build.plainfile import read_plain
from haikube.build.transcript import Transcript

_DEPTH: Final = 4
_LARGEST: Final = 8 << 20
_HEAD: Final = 256
_OF_TOOLS: Final = frozenset(
    {".git", "node_modules", "vendor", "bower_components", ".venv", "venv"}
)
_READ_BY_SHELL: Final = frozenset(
    {
        *("mvnw", "gradlew", "maven-wrapper.properties", ".profile"),
        *("pre_compile", "post_compile", "go-pre-compile", "go-post-compile"),
    }
)
"""What a shell reads whatever it begins with: wrappers and their files, hooks, profiles."""

_TEXTS: Final = {
    *READ,
    *("runtime.txt", ".ruby-version", ".npmrc", ".yarnrc.yml", "pnpm-workspace.yaml"),
    *("app.json", "static.json", "nltk.txt", "gradle.properties", "project/build.properties"),
    *("gradle/wrapper/gradle-wrapper.properties", ".mvn/wrapper/maven-wrapper.properties"),
    *(".mvn/jvm.config", ".mvn/maven.config"),
} - {PROCFILE, "pom.xml"}
"""What tools read as UTF-8, by its path. A Procfile is read as it is, and XML says what it is."""

_BEGINS: Final = (b"#!", BOM_UTF8, BOM_UTF16_LE, BOM_UTF16_BE)
_SHELL_ENDS: Final = (".sh", ".bash")
_SHOWN: Final = 10


class _Mended(NamedTuple):
    """What was wrong with one file."""

    name: str
    encoding: bool
    ends: bool


def mend_source(root: Path, transcript: Transcript) -> None:
    """Save what Windows saved in its own way as Linux wants it, and say which files they are."""
    mended = sorted(found for name in _candidates(root) if (found := _mend(root, name)))
    if encoded := [each.name for each in mended if each.encoding]:
        transcript.warning(f"UTF-16 or a byte order mark was removed from {_shown(encoded)},")
        transcript.warning("which tools do not understand. Save as UTF-8 without one.")
    if ended := [each.name for each in mended if each.ends]:
        transcript.warning(f"Windows line ends were removed from {_shown(ended)},")
        transcript.warning("which would not run with them. To keep them out of the repository:")
        transcript.warning("echo '* text=auto eol=lf' >> .gitattributes && git add --renormalize .")


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{more}"


def _candidates(root: Path) -> Iterator[str]:
    """Yield the names of files below a folder; a Path for each would take most of the time."""
    start = len(f"{root}/")
    for folder, below, names in os.walk(root):
        inside = f"{folder}/"[start:]
        deep = inside.count("/") >= _DEPTH
        below[:] = [] if deep else [each for each in below if each not in _OF_TOOLS]
        yield from (inside + name for name in names)


def _mend(root: Path, name: str) -> _Mended | None:
    """Mend one file, if it is a script that would not run or a text of a tool; links stay."""
    head = read_plain(f"{root}/{name}", _HEAD - 1) or b""
    if not (head.startswith(_BEGINS) or name in _TEXTS or _is_for_shell(name)):
        return None
    path = root / name
    codec = _codec(head, sure=name in _TEXTS)
    text = head.decode(codec or "latin-1", "ignore")
    script = text.startswith("#!") or _is_for_shell(name)
    ends = script and "\r\n" in text
    encoding = bool(codec) and (script or name in _TEXTS)
    if not ends and not encoding:
        return None
    content = _plain(path, codec)
    if content is None:
        return None
    path.write_bytes(content.replace(b"\r\n", b"\n") if ends else content)
    return _Mended(name, encoding, ends)


def _codec(head: bytes, *, sure: bool) -> str:
    """Return how a text is saved that is no plain UTF-8; ``sure`` where it can be but a text."""
    if head.startswith((BOM_UTF16_LE, BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(BOM_UTF8):
        return "utf-8-sig"
    if not sure or len(head) < len(BOM_UTF16_LE) or bool(head[0]) == bool(head[1]):
        return ""
    return "utf-16-le" if head[0] else "utf-16-be"


def _is_for_shell(name: str) -> bool:
    return name.endswith(_SHELL_ENDS) or name.rpartition("/")[2] in _READ_BY_SHELL


def _plain(path: Path, codec: str) -> bytes | None:
    """Return a text in UTF-8; None for what is none, or too much."""
    content = read_plain(path, _LARGEST)
    if content is None or len(content) > _LARGEST:
        return None
    try:
        content = content.decode(codec).encode() if codec else content
    except UnicodeError:
        return None
    return None if b"\0" in content else content
