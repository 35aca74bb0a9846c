"""Brings the app's source into BUILD_DIR, from our archive, a git repository or a blob."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, assert_never

from haikube.build import tree
from haikube.build.archive import EXPANSION, lift_single_folder, remove_tree, unpack
from haikube.build.checkout import CheckoutError, check_out
from haikube.build.deadline import Deadline
from haikube.build.failure import BuildFailure, Reason
from haikube.build.layout import Layout
from haikube.build.request import ArchiveSource, BlobSource, GitSource, Request
from haikube.build.transfer import TooLarge, Transfer, TransferError

_STRIPPED: Final = (".git", ".gitmodules")


class SourceFetcher:
    """Fetches one source; returns the commit that it is."""

    def __init__(
        self, layout: Layout, transfer: Transfer, env: Mapping[str, str], deadline: Deadline
    ) -> None:
        self._layout = layout
        self._transfer = transfer
        self._env = env
        self._deadline = deadline

    def fetch(self, request: Request) -> str:
        """Fill BUILD_DIR; returns the commit, as far as it is known."""
        limit = request.limits.source_bytes
        source = request.source
        commit = request.source_version
        match source:
            case ArchiveSource():
                self._archive(source, limit)
            case GitSource():
                commit = self._git(source, limit)
            case BlobSource():
                self._blob(source, limit)
            case _:
                assert_never(source)
        for name in _STRIPPED:
            remove_tree(self._layout.build_dir / name)
        return commit

    def _archive(self, source: ArchiveSource, limit: int) -> None:
        url = self._layout.url("source")
        if url is None:
            raise BuildFailure(
                Reason.STORAGE_UNAVAILABLE, "The build got no URL for its source; push again"
            )
        file = self._download(url, limit, Reason.STORAGE_UNAVAILABLE)
        self._verify(file, source.digest)
        unpack(file[0], self._layout.build_dir, limit=limit * EXPANSION)
        file[0].unlink()

    def _blob(self, source: BlobSource, limit: int) -> None:
        file = self._download(source.url, limit, Reason.SOURCE_UNAVAILABLE)
        if source.checksum:
            self._verify(file, source.checksum)
        unpack(file[0], self._layout.build_dir, limit=limit * EXPANSION)
        file[0].unlink()
        lift_single_folder(self._layout.build_dir)

    def _git(self, source: GitSource, limit: int) -> str:
        try:
            commit = check_out(
                source.url,
                source.ref,
                self._layout.build_dir,
                env=self._env,
                deadline=self._deadline,
                transfer=self._transfer,
            )
        except CheckoutError as error:
            raise BuildFailure(Reason.SOURCE_UNAVAILABLE, str(error)) from error
        if source.sub_path:
            _lift(self._layout.build_dir, source.sub_path)
        _check_checkout(self._layout.build_dir, limit * EXPANSION)
        return commit

    def _download(self, url: str, limit: int, reason: Reason) -> tuple[Path, str]:
        target = self._layout.spool / "source"
        try:
            fetched = self._transfer.fetch(url, target, limit=limit)
        except TooLarge as error:
            raise BuildFailure(
                Reason.SOURCE_TOO_LARGE,
                f"The source archive is over its limit of {limit} bytes; leave large files out",
            ) from error
        except TransferError as error:
            raise BuildFailure(reason, _unavailable(reason, error)) from error
        return target, fetched.digest

    @staticmethod
    def _verify(file: tuple[Path, str], expected: str) -> None:
        if file[1] != expected.lower():
            raise BuildFailure(
                Reason.SOURCE_INVALID,
                f"The source archive is {file[1]}, but {expected} was declared; "
                "declare the checksum of the archive as it is",
            )


def _unavailable(reason: Reason, error: TransferError) -> str:
    if reason is Reason.STORAGE_UNAVAILABLE:
        return (
            f"The source could not be fetched from the object storage: {error}; "
            "push again when the storage answers"
        )
    return f"The source could not be fetched: {error}; check the URL of the source"


def _lift(root: Path, sub_path: str) -> None:
    """Make one folder of the repository the root of the build."""
    try:
        parts = tree.member_path(sub_path)
    except tree.BadPath as error:
        raise _invalid(f"The subPath {sub_path!r} is refused: {error}") from error
    chosen = root
    for part in parts:
        chosen /= part
        if chosen.is_symlink() or not chosen.is_dir():
            raise _invalid(f"The subPath {sub_path!r} is no folder of the repository")
    if parts:
        aside = root.with_name(root.name + ".sub")
        chosen.rename(aside)
        remove_tree(root)
        aside.rename(root)


def _check_checkout(root: Path, limit: int) -> None:
    """Apply the rules of archives to a working tree that git wrote."""
    links: dict[tree.Path, str] = {}
    size = 0
    for folder, subfolders, files in os.walk(root):
        for name in [*subfolders, *files]:
            path = f"{folder}/{name}"  # a Path for each would take most of the time
            info = os.lstat(path)
            if stat.S_ISLNK(info.st_mode):
                links[Path(path).relative_to(root).parts] = str(Path(path).readlink())
            elif name == ".git":
                remove_tree(Path(path))
            else:
                size += info.st_size
    for bad, why in tree.bad_links(links):
        raise _invalid(f"The source holds {'/'.join(bad)!r}, which is refused: {why}")
    if size > limit:
        raise BuildFailure(Reason.SOURCE_TOO_LARGE, f"The source has {size} bytes, over {limit}")


def _invalid(message: str) -> BuildFailure:
    return BuildFailure(Reason.SOURCE_INVALID, message)
