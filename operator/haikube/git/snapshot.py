"""A private bare repository for one request: what the manifest said at one moment.

Requests never share a repository, so there is nothing to lock and nothing to clean up but a
directory. Its hooks and its configuration come from ``git.command`` alone.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from haikube.git.lock import Settle, settle
from haikube.git.manifest import Manifest, Manifests
from haikube.git.packs import PackCache
from haikube.storage.port import MissingObject

_CONFIG: Final = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n"
_ATTRIBUTES: Final = "* -export-ignore -export-subst\n"
"""The source is what a checkout would hold, whatever the app's .gitattributes say."""

_MAIN: Final = "refs/heads/main"
_MASTER: Final = "refs/heads/master"
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A repository on disk with the manifest it was made from."""

    path: Path
    manifest: Manifest


class Snapshots:
    """Makes snapshots below ``root``; ``outcome`` tells how an announced build has ended.

    A push whose build succeeded has happened, also while nobody could write that down.
    """

    def __init__(self, manifests: Manifests, packs: PackCache, root: Path, outcome: Settle) -> None:
        self._manifests = manifests
        self._packs = packs
        self._root = root
        self._outcome = outcome

    @asynccontextmanager
    async def open(self, uid: str) -> AsyncIterator[Snapshot]:
        """Make a snapshot of an app's repository and remove it in the end."""
        self._root.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix="repository-", dir=self._root))
        try:
            yield await self._fill(uid, path)
        finally:
            shutil.rmtree(path, ignore_errors=True)

    async def _fill(self, uid: str, path: Path) -> Snapshot:
        """Read the manifest and link its packs; again if a repack removed one meanwhile."""
        for left in reversed(range(_TRIES)):
            stored, _ = await self._manifests.load(uid)
            manifest = await settle(stored, self._outcome) or stored
            shutil.rmtree(path / "objects", ignore_errors=True)
            packs = path / "objects" / "pack"
            packs.mkdir(parents=True)
            try:
                await self._packs.link(uid, manifest.packs, packs)
            except MissingObject:
                if not left:
                    raise
                continue
            break
        _write_repository(path, manifest)
        return Snapshot(path, manifest)


def _write_repository(path: Path, manifest: Manifest) -> None:
    for directory in ("refs", "info"):
        (path / directory).mkdir()
    head = _MASTER if _MASTER in manifest.refs and _MAIN not in manifest.refs else _MAIN
    refs = "".join(f"{target} {ref}\n" for ref, target in sorted(manifest.refs.items()))
    (path / "HEAD").write_text(f"ref: {head}\n")
    (path / "config").write_text(_CONFIG)
    (path / "info" / "attributes").write_text(_ATTRIBUTES)
    (path / "packed-refs").write_text(refs)
