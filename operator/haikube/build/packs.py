"""Brings buildpacks into the build: our own by name, any other by URL.

Every buildpack gets a writable folder of its own, since a compile may leave an ``export`` beside
its ``bin``; ``lib`` beside that folder is our shared library.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from haikube.build.archive import EXPANSION, lift_single_folder, unpack
from haikube.build.buildpack import Buildpack
from haikube.build.checkout import CheckoutError, check_out
from haikube.build.deadline import Deadline
from haikube.build.failure import BuildFailure, Reason
from haikube.build.layout import Layout
from haikube.build.selection import detection_order, herokus_name, meant, our_name
from haikube.build.transfer import Transfer, TransferError, check_url

_ARCHIVES: Final = (".tgz", ".tar.gz", ".tbz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar")
_MAX_BYTES: Final = 256 << 20


class PackShelf:
    """Hands out buildpacks, each one writable; ``names`` is what names stand for here."""

    def __init__(
        self,
        layout: Layout,
        transfer: Transfer,
        env: Mapping[str, str],
        deadline: Deadline,
        names: Mapping[str, str],
    ) -> None:
        self._names = names
        self._layout = layout
        self._transfer = transfer
        self._env = env
        self._deadline = deadline
        self._taken = 0

    def take(self, reference: str) -> Buildpack:
        """Bring one buildpack by name or URL."""
        target = self._meant(reference)
        label = _shown(reference)
        origin = "" if target == reference else _shown(target)
        name = our_name(target)
        if name is not None:
            path = self._copy(name, f"{label} (here: {origin})" if origin else label)
        elif "://" in target:
            path = self._bring(target)
        else:
            raise self._unknown(label)
        buildpack = Buildpack(label, path, origin)
        buildpack.check()
        return buildpack

    def _meant(self, reference: str) -> str:
        """Return what a reference stands for; an address of Heroku's, our own if there is one."""
        target = meant(reference, self._names)
        name = herokus_name(target)
        if name and (self._layout.buildpacks / name / "bin").is_dir():
            return meant(f"heroku/{name}", self._names)
        return target

    def _copy(self, name: str, label: str) -> Path:
        """Take one of our own."""
        origin = self._layout.buildpacks / name
        if not (origin / "bin").is_dir():
            raise self._unknown(label)
        target = self._place(name)
        shutil.copytree(origin, target, symlinks=True)
        return target

    def _unknown(self, label: str) -> BuildFailure:
        known = ", ".join([*detection_order(self._layout.buildpacks), *sorted(self._names)])
        return BuildFailure(
            Reason.BUILDPACK_NOT_FOUND,
            f"There is no buildpack {label!r}; known are {known}, "
            "any other is given by its http(s) git or archive URL",
        )

    def _place(self, name: str) -> Path:
        self._taken += 1
        shelf = self._layout.packs / str(self._taken)
        shelf.mkdir(parents=True)
        shared = self._layout.buildpacks / "lib"
        (shelf / "lib").symlink_to(shared)
        return shelf / name

    def _bring(self, reference: str) -> Path:
        """Fetch a buildpack of somebody else."""
        target = self._place("pack")
        url, _, ref = reference.partition("#")
        try:
            check_url(url)
            if url.partition("?")[0].endswith(_ARCHIVES):
                self._bring_archive(url, target)
            else:
                target.mkdir()
                check_out(
                    url,
                    ref or "HEAD",
                    target,
                    env=self._env,
                    deadline=self._deadline,
                    transfer=self._transfer,
                )
        except (TransferError, CheckoutError) as error:
            raise BuildFailure(
                Reason.BUILDPACK_NOT_FOUND,
                f"Buildpack {_shown(reference)} could not be fetched: {error}",
            ) from error
        return target

    def _bring_archive(self, url: str, target: Path) -> None:
        archive = self._layout.spool / "buildpack"
        self._transfer.fetch(url, archive, limit=_MAX_BYTES)
        target.mkdir()
        try:
            unpack(archive, target, limit=_MAX_BYTES * EXPANSION)
        except BuildFailure as error:
            raise BuildFailure(
                Reason.BUILDPACK_INVALID,
                f"Buildpack {_shown(url)} is refused: {error.message}",
            ) from error
        archive.unlink()
        if not (target / "bin").is_dir():
            lift_single_folder(target)


def _shown(reference: str) -> str:
    """A URL may carry a token: show neither its query nor who it is for."""
    head, mark, ref = reference.partition("#")
    head = head.partition("?")[0]
    scheme, separator, rest = head.rpartition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}{mark}{ref}"
