"""Scripts with the line ends of Windows: Linux looks for an interpreter whose name ends in a CR.

"Required file not found" is all that anybody is told of it, so such scripts are mended before a
buildpack or a dyno runs one, and named.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from haikube.build.plainfile import read_plain
from haikube.build.transcript import Transcript

_DEPTH: Final = 4
_LARGEST: Final = 1 << 20
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

_SHELL_ENDS: Final = (".sh", ".bash")
_SHOWN: Final = 10


def mend_scripts(root: Path, transcript: Transcript) -> None:
    """Give scripts of a source the line ends of Linux, and say which they are."""
    mended = sorted(path.relative_to(root).as_posix() for path in _candidates(root) if _mend(path))
    if not mended:
        return
    more = f" and {len(mended) - _SHOWN} more" if len(mended) > _SHOWN else ""
    transcript.warning(f"Windows line ends were removed from {', '.join(mended[:_SHOWN])}{more},")
    transcript.warning("which would not run with them. To keep them out of the repository:")
    transcript.warning("echo '* text=auto eol=lf' >> .gitattributes && git add --renormalize .")


def _candidates(root: Path) -> Iterator[Path]:
    base = len(root.parts)
    for folder, below, names in os.walk(root):
        here = Path(folder)
        deep = len(here.parts) - base >= _DEPTH
        below[:] = [] if deep else [each for each in below if each not in _OF_TOOLS]
        yield from (here / name for name in names)


def _mend(path: Path) -> bool:
    """Mend one file, if it is a script that would not run; links are left alone."""
    head = _head(path)
    if b"\r\n" not in head or not (head.startswith(b"#!") or _is_for_shell(path.name)):
        return False
    content = read_plain(path, _LARGEST)
    if content is None or len(content) > _LARGEST or b"\0" in content:
        return False
    path.write_bytes(content.replace(b"\r\n", b"\n"))
    return True


def _is_for_shell(name: str) -> bool:
    return name in _READ_BY_SHELL or name.endswith(_SHELL_ENDS)


def _head(path: Path) -> bytes:
    return (read_plain(path, _HEAD - 1) or b"") if not path.is_symlink() else b""
