"""Files that a buildpack does not read, though somebody believes that it does.

A name in another case, with an extension that an editor added, or without its dot is nobody's
file: the build would go on as if it were not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from haikube.build.transcript import Transcript

PROCFILE: Final = "Procfile"
_APTFILE: Final = "Aptfile"
READ: Final = (
    PROCFILE,
    *("requirements.txt", "Pipfile", "Pipfile.lock", "pyproject.toml", "poetry.lock", "uv.lock"),
    *(".python-version", "package.json", "package-lock.json", "yarn.lock", "pnpm-lock.yaml"),
    *("Gemfile", "Gemfile.lock", "composer.json", "composer.lock", "go.mod", "go.sum", "pom.xml"),
    *("build.gradle", "build.sbt", "project.clj", "deps.edn", "system.properties", "Aptfile"),
    *(".slugignore", ".buildpacks"),
)
_ADDED: Final = re.compile(r"([.](txt|text))+$")
_ADDED_TO_PROCFILE: Final = re.compile(r"[.](txt|text|md|yml|yaml|sh)$")
_REQUIREMENTS: Final = re.compile(r"requ?i?re?me?nts?")


def misnamed(build_dir: Path) -> Mapping[str, str]:
    """Return the names of files in the app's root that are not read, and what they should be."""
    names = sorted(each.name for each in build_dir.iterdir() if each.is_file())
    there = set(names)
    wanted = {_key(name): name for name in READ if name not in there}
    meant = {name: wanted.get(_key(name), "") for name in names if name not in READ}
    return {name: meant[name] for name in names if meant.get(name)}


def misnamed_procfile(build_dir: Path) -> str:
    """Return the file that was meant to be the Procfile where there is none, or nothing."""
    return next((name for name, to in misnamed(build_dir).items() if to == PROCFILE), "")


def warn_of_misnamed(build_dir: Path, transcript: Transcript) -> None:
    """Name them all but the Procfile, which is spoken of where its types are shown."""
    for name, wanted in misnamed(build_dir).items():
        if wanted != PROCFILE:
            transcript.warning(f"{name} is not read: the file must be named {wanted}.")
            transcript.warning(f"Rename it: git mv {name} {wanted}")


def warn_of_aptfile(build_dir: Path, buildpacks: Iterable[str], transcript: Transcript) -> None:
    """Name an Aptfile that none of the buildpacks, by their labels, is for."""
    if (build_dir / _APTFILE).is_file() and not any("apt" in label for label in buildpacks):
        transcript.warning(
            f"The app has an {_APTFILE}, and no buildpack that reads it. To add one:"
        )
        transcript.warning("heroku buildpacks:add --index 1 heroku-community/apt")


def _key(name: str) -> str:
    """Return what is left of a name when nobody cares for case, dots and extensions."""
    lower = name.lower()
    if lower.startswith("procfile"):
        return _ADDED_TO_PROCFILE.sub("", lower)
    plain = re.sub(r"[-_. ]", "", _ADDED.sub("", lower))
    return "requirements" if _REQUIREMENTS.fullmatch(plain) else plain
