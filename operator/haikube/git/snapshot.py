"""A private bare repository for one request: what the manifest said at one moment.

Requests never share a repository, so there is nothing to lock and nothing to clean up but a
directory. Its hooks and its configuration come from ``git.command`` alone.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from haikube.git.command import Git, GitError
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
    """A repository on disk with the manifest it was made from.

    ``lost`` are packs that are gone from the storage, ``broken`` refs that therefore, or since a
    push of older days, lack something. Both are left out, so that a push sends them whole.
    """

    path: Path
    manifest: Manifest
    lost: tuple[str, ...] = ()
    broken: Mapping[str, str] = field(default_factory=dict)


class Snapshots:
    """Makes snapshots below ``root``; ``outcome`` tells how an announced build has ended.

    A push whose build succeeded has happened, also while nobody could write that down.
    """

    def __init__(
        self, git: Git, manifests: Manifests, packs: PackCache, root: Path, outcome: Settle
    ) -> None:
        self._git = git
        self._manifests = manifests
        self._packs = packs
        self._root = root
        self._outcome = outcome

    @asynccontextmanager
    async def open(self, uid: str, *, mend: bool = False) -> AsyncIterator[Snapshot]:
        """Make a snapshot of an app's repository and remove it in the end.

        With ``mend`` what is damaged is left out; otherwise it is an error.
        """
        self._root.mkdir(parents=True, exist_ok=True)
        path = Path(tempfile.mkdtemp(prefix="repository-", dir=self._root))
        try:
            snapshot = await self._fill(uid, path, mend=mend)
            yield await self._without_broken(snapshot) if mend else snapshot
        finally:
            shutil.rmtree(path, ignore_errors=True)

    async def _fill(self, uid: str, path: Path, *, mend: bool) -> Snapshot:
        """Read the manifest and link its packs; again if a repack removed one meanwhile."""
        for left in reversed(range(_TRIES)):
            stored, _ = await self._manifests.load(uid)
            manifest = await settle(stored, self._outcome) or stored
            shutil.rmtree(path / "objects", ignore_errors=True)
            packs = path / "objects" / "pack"
            packs.mkdir(parents=True)
            lost = await self._link(uid, manifest, packs, mend=mend and not left)
            if lost is not None:
                break
        else:
            raise MissingObject(
                f"a pack of the repository is lost (git/{uid}/packs/): "
                "push all of it again, git push heroku main"
            )
        _write_repository(path, manifest, manifest.refs)
        return Snapshot(path, manifest, lost)

    async def _link(
        self, uid: str, manifest: Manifest, target: Path, *, mend: bool
    ) -> tuple[str, ...] | None:
        """Link packs; returns those that are lost, None where that is not to be borne."""
        lost = []
        for pack in manifest.packs:
            try:
                await self._packs.link(uid, [pack], target)
            except MissingObject:
                if not mend:
                    return None
                lost.append(pack)
        return tuple(lost)

    async def _without_broken(self, snapshot: Snapshot) -> Snapshot:
        """Find the refs that lack something, once: what is pushed from then on is whole."""
        manifest = snapshot.manifest
        if manifest.whole and not snapshot.lost:
            return snapshot
        broken = await unsound(self._git, snapshot.path, manifest.refs)
        if broken:
            refs = {ref: name for ref, name in manifest.refs.items() if ref not in broken}
            _write_repository(snapshot.path, manifest, refs)
        return replace(snapshot, broken=broken)


async def unsound(git: Git, path: Path, refs: Mapping[str, str]) -> dict[str, str]:
    """Return those of ``refs`` that something is missing of in the repository at ``path``."""
    if not refs or await _is_whole(git, path, sorted(set(refs.values()))):
        return {}
    return {ref: name for ref, name in refs.items() if not await _is_whole(git, path, [name])}


async def _is_whole(git: Git, path: Path, names: list[str]) -> bool:
    wish = path / "names"
    await asyncio.to_thread(wish.write_text, "".join(f"{name}\n" for name in names))
    try:
        await git.run(
            f"--git-dir={path}", "rev-list", "--objects", "--quiet", "--stdin", source=wish
        )
    except GitError:
        return False
    return True


def _write_repository(path: Path, manifest: Manifest, refs: Mapping[str, str]) -> None:
    for directory in ("refs", "info"):
        (path / directory).mkdir(exist_ok=True)
    head = _MASTER if _MASTER in manifest.refs and _MAIN not in manifest.refs else _MAIN
    lines = "".join(f"{target} {ref}\n" for ref, target in sorted(refs.items()))
    (path / "HEAD").write_text(f"ref: {head}\n")
    (path / "config").write_text(_CONFIG)
    (path / "info" / "attributes").write_text(_ATTRIBUTES)
    (path / "packed-refs").write_text(lines)
