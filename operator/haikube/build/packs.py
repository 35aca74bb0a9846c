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
from haikube.build.selection import detection_order, our_name
from haikube.build.transfer import Transfer, TransferError, check_url

_ARCHIVES: Final = (".tgz", ".tar.gz", ".tbz", ".tar.bz2", ".tar.xz", ".tar.zst", ".tar")
_MAX_BYTES: Final = 256 << 20


class PackShelf:
    """Hands out buildpacks, each one writable."""

    def __init__(
        self, layout: Layout, transfer: Transfer, env: Mapping[str, str], deadline: Deadline
    ) -> None:
        self._layout = layout
        self._transfer = transfer
        self._env = env
        self._deadline = deadline
        self._taken = 0

    def take(self, reference: str) -> Buildpack:
        """Bring one buildpack by name or URL."""
        name = our_name(reference)
        if name is not None:
            return self.take_ours(name, reference)
        target = self._place("pack")
        self._bring(reference, target)
        return _checked(Buildpack(_shown(reference), target))

    def take_ours(self, name: str, label: str | None = None) -> Buildpack:
        """Bring one of our own buildpacks."""
        origin = self._layout.buildpacks / name
        if not (origin / "bin").is_dir():
            known = ", ".join(detection_order(self._layout.buildpacks))
            raise BuildFailure(
                Reason.BUILDPACK_NOT_FOUND,
                f"There is no buildpack {label or name!r}; known are {known}, "
                "any other is given by its git or archive URL",
            )
        target = self._place(name)
        shutil.copytree(origin, target, symlinks=True)
        return _checked(Buildpack(label or f"heroku/{name}", target))

    def _place(self, name: str) -> Path:
        self._taken += 1
        shelf = self._layout.packs / str(self._taken)
        shelf.mkdir(parents=True)
        shared = self._layout.buildpacks / "lib"
        (shelf / "lib").symlink_to(shared)
        return shelf / name

    def _bring(self, reference: str, target: Path) -> None:
        url, _, ref = reference.partition("#")
        try:
            check_url(url)
            if url.partition("?")[0].endswith(_ARCHIVES):
                self._bring_archive(url, target)
            else:
                target.mkdir()
                check_out(url, ref or "HEAD", target, env=self._env, deadline=self._deadline)
        except (TransferError, CheckoutError) as error:
            raise BuildFailure(
                Reason.BUILDPACK_NOT_FOUND,
                f"Buildpack {_shown(reference)} could not be fetched: {error}",
            ) from error

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


def _checked(buildpack: Buildpack) -> Buildpack:
    buildpack.check()
    return buildpack


def _shown(reference: str) -> str:
    """A URL may carry a token: show neither its query nor who it is for."""
    head, mark, ref = reference.partition("#")
    head = head.partition("?")[0]
    scheme, separator, rest = head.partition("://")
    return f"{scheme}{separator}{rest.rpartition('@')[2]}{mark}{ref}"
