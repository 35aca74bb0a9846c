"""Which buildpacks a build uses, and by whose word.

In order: the App's own list, the config var BUILDPACK_URL, ``app.json``, ``.buildpacks``, and
only then detection. A config var beats files, since it is set for this app on purpose. Whoever
chose a name, the platform says first what it stands for, and only once: ours stay within reach.
The buildpack that reads ``.buildpacks`` (multi) is what happens here anyway.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from haikube.build.failure import BuildFailure, Reason
from haikube.build.plainfile import read_plain

_MAX_BYTES: Final = 1 << 20
_MAX_BUILDPACKS: Final = 20
_REGISTRY: Final = "urn:buildpack:"
_HEROKUS: Final = re.compile(
    r"https?://github\.com/heroku/heroku-buildpack-(?P<repository>[a-z0-9-]+?)(?:\.git)?/?"
    r"|https://(?:buildpack-registry|codon-buildpacks)\.s3\.amazonaws\.com/buildpacks/"
    r"(?:heroku|heroku-community)/(?P<registered>[a-z0-9-]+)\.tgz"
)
_MULTI: Final = re.compile(r"https?://.*/heroku-buildpack-multi(?:\.git)?(?:#.*)?")
_ALIASES: Final[Mapping[str, str]] = {"jvm-common": "jvm"}
_OURS: Final = re.compile(r"(?:(?:heroku|heroku-community|haikube)/)?(?P<name>[a-z0-9][a-z0-9-]*)")


def chosen_buildpacks(
    requested: Sequence[str], build_dir: Path, env_dir: Path, remark: Callable[[str], None]
) -> Sequence[str]:
    """Return the buildpacks that somebody chose, by name or URL; none means: detect.

    ``remark`` is told of an ``app.json`` that is none: a push does not fail for it, as on Heroku.
    """
    found = (
        [each for each in requested if not _MULTI.fullmatch(each)]
        or _from_config(env_dir)
        or _from_app_json(build_dir, remark)
        or _from_dot_buildpacks(build_dir)
    )
    if len(found) > _MAX_BUILDPACKS:
        raise BuildFailure(
            Reason.BUILDPACK_INVALID,
            f"{len(found)} buildpacks are listed, at most {_MAX_BUILDPACKS} may be",
        )
    return found


def our_name(reference: str) -> str | None:
    """Return the folder of our buildpack that a registry name stands for, None for a URL."""
    match = _OURS.fullmatch(reference.removeprefix(_REGISTRY))
    return match["name"] if match else None


def meant(reference: str, names: Mapping[str, str]) -> str:
    """Return what a reference stands for on this platform: itself, unless its name is mapped."""
    return names.get(reference.removeprefix(_REGISTRY), reference)


def herokus_name(reference: str) -> str:
    """Return the name of Heroku's buildpack that an address without a version is; or nothing.

    Files of years name them so. Theirs is made for Heroku's own stacks and storage.
    """
    match = _HEROKUS.fullmatch(reference)
    name = (match["repository"] or match["registered"]) if match else ""
    return _ALIASES.get(name, name)


def detection_order(buildpacks: Path) -> Sequence[str]:
    """Return the names of our buildpacks in the order they are asked."""
    lines = (buildpacks / "order.txt").read_text("utf-8").splitlines()
    names = (line.partition("#")[0].strip() for line in lines)
    return [name for name in names if name and _can_detect(buildpacks / name)]


def _can_detect(buildpack: Path) -> bool:
    return os.access(buildpack / "bin" / "detect", os.X_OK)


def _from_config(env_dir: Path) -> list[str]:
    content = read_plain(env_dir / "BUILDPACK_URL", _MAX_BYTES)
    value = content.decode("utf-8", "replace").strip() if content else ""
    return [value] if value and not _MULTI.fullmatch(value) else []


def _from_app_json(build_dir: Path, remark: Callable[[str], None]) -> list[str]:
    content = read_plain(build_dir / "app.json", _MAX_BYTES)
    if content is None:
        return []
    try:
        document = json.loads(content)
    except ValueError as error:
        remark(f"app.json is not JSON ({error}): the buildpacks that it names are not used.")
        return []
    try:
        listed = document.get("buildpacks") or [] if isinstance(document, dict) else []
        return [str(item["url"]) for item in listed]
    except (TypeError, KeyError) as error:
        raise BuildFailure(
            Reason.BUILDPACK_INVALID,
            f"app.json cannot be read ({error}); "
            'buildpacks are listed as {"buildpacks": [{"url": "heroku/nodejs"}]}',
        ) from error


def _from_dot_buildpacks(build_dir: Path) -> list[str]:
    content = read_plain(build_dir / ".buildpacks", _MAX_BYTES)
    lines = (content or b"").decode("utf-8", "replace").splitlines()
    return [text for line in lines if (text := line.partition(" #")[0].strip()) and text[0] != "#"]
