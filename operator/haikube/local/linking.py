"""The commands a person types after ``up``: ``haikube`` and, where there is none, ``kubectl``.

Links them into a folder of the PATH. Must never replace a program that is not ours.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import haikube

MARK = "# made by: haikube local up"
_SCRIPT = """#!/bin/sh
{mark}
PYTHONPATH={root} exec {python} -m haikube.cli "$@"
"""


def link_commands(kubectl: Path, environment: Mapping[str, str]) -> str:
    """Make the commands and return what was done, for the step's line."""
    folder = writable_folder(environment)
    if folder is None:
        return "no folder of the PATH is writable; run: python -m haikube.cli"
    done = [name for name in (_link_haikube(folder), _link_kubectl(folder, kubectl)) if name]
    return f"{' '.join(done) or 'nothing new'} in {folder}"


def writable_folder(environment: Mapping[str, str]) -> Path | None:
    """Return the first usual folder for own programs that is in the PATH and writable."""
    home = Path(environment.get("HOME", "/root"))
    path = environment.get("PATH", "").split(os.pathsep)
    usual = (home / ".local" / "bin", Path("/usr/local/bin"))
    return next((each for each in usual if str(each) in path and os.access(each, os.W_OK)), None)


def _link_haikube(folder: Path) -> str:
    target = folder / "haikube"
    if target.exists() and MARK not in target.read_text(errors="replace"):
        return ""
    root = Path(haikube.__file__).resolve().parent.parent
    text = _SCRIPT.format(mark=MARK, root=root, python=sys.executable)
    target.write_text(text)
    target.chmod(0o755)
    return "haikube"


def _link_kubectl(folder: Path, kubectl: Path) -> str:
    target = folder / "kubectl"
    ours = target.is_symlink() and "haikube" in target.readlink().parts
    if shutil.which("kubectl") and not ours:
        return ""
    target.unlink(missing_ok=True)
    target.symlink_to(kubectl)
    return "kubectl"
