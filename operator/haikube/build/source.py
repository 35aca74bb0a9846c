"""Brings the app's source into BUILD_DIR, from our archive, a git repository or a blob."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Final, assert_never

from haikube.build import tree
from haikube.build.archive import EXPANSION, lift_single_folder, remove_tree, unpack
from haikube.build.checkout import CheckoutError, add_submodules, check_out
from haikube.build.deadline import Deadline
from haikube.build.failure import BuildFailure, Reason
from haikube.build.layout import Layout
from haikube.build.plainfile import read_plain
from haikube.build.request import ArchiveSource, BlobSource, GitSource, Request
from haikube.build.transcript import Transcript
from haikube.build.transfer import TooLarge, Transfer, TransferError

_STRIPPED: Final = (".git", ".gitmodules")
SUBMODULES: Final = ".git/haikube-submodules"
"""Where the receiver of a push notes what no archive tells, in lines of ``<commit> <path>``.

No commit can hold a file of that name.
"""
_NOTE_LIMIT: Final = 1 << 20
_SHOWN: Final = 10
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class SourceFetcher:
    """Fetches one source; returns the commit that it is."""

    def __init__(
        self,
        layout: Layout,
        transfer: Transfer,
        transcript: Transcript,
        env: Mapping[str, str],
        deadline: Deadline,
    ) -> None:
        self._layout = layout
        self._transcript = transcript
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
            remove_tree(self._layout.source_dir / name)
        _require_folder(self._layout.source_dir, self._layout.folder)
        return commit

    def _archive(self, source: ArchiveSource, limit: int) -> None:
        url = self._layout.url("source")
        if url is None:
            raise BuildFailure(
                Reason.STORAGE_UNAVAILABLE, "The build got no URL for its source; push again"
            )
        file = self._download(url, limit, Reason.STORAGE_UNAVAILABLE)
        self._verify(file, source.digest)
        self._unpack(file[0], limit)
        self._submodules(limit)

    def _submodules(self, limit: int) -> None:
        """Fetch the submodules of a pushed commit, as those of a checked out one are."""
        root = self._layout.source_dir
        commits = _noted(read_plain(root / SUBMODULES, _NOTE_LIMIT) or b"")
        remove_tree(root / ".git")
        if not commits:
            return
        self._transcript.topic("Git submodules detected, installing")
        try:
            fetched = add_submodules(root, commits, env=self._env, deadline=self._deadline)
        except CheckoutError as error:
            raise BuildFailure(
                Reason.SOURCE_UNAVAILABLE,
                f"The submodules could not be fetched: {error}; they must be public, and "
                ".gitmodules must name them by http or https URLs in full",
            ) from error
        for path in commits:
            self._transcript.detail(path if path in fetched else f"{path}: not in .gitmodules")
        self._warn_of_links(_check_checkout(root, limit * EXPANSION))

    def _unpack(self, archive: Path, limit: int) -> None:
        self._warn_of_links(unpack(archive, self._layout.source_dir, limit=limit * EXPANSION))
        archive.unlink()

    def _warn_of_links(self, left: Mapping[tree.Path, str]) -> None:
        for path, why in list(left.items())[:_SHOWN]:
            self._transcript.warning(f"The link {'/'.join(path)} was left out: {why}.")
        if len(left) > _SHOWN:
            self._transcript.warning(f"{len(left) - _SHOWN} more such links were left out.")

    def _blob(self, source: BlobSource, limit: int) -> None:
        file = self._download(source.url, limit, Reason.SOURCE_UNAVAILABLE)
        if source.checksum:
            self._verify(file, source.checksum)
        self._unpack(file[0], limit)
        lift_single_folder(self._layout.source_dir)

    def _git(self, source: GitSource, limit: int) -> str:
        try:
            commit = check_out(
                source.url,
                source.ref,
                self._layout.source_dir,
                env=self._env,
                deadline=self._deadline,
                transfer=self._transfer,
            )
        except CheckoutError as error:
            raise BuildFailure(Reason.SOURCE_UNAVAILABLE, str(error)) from error
        self._warn_of_links(_check_checkout(self._layout.source_dir, limit * EXPANSION))
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
            # Nothing was built yet, and somebody waits who can push again sooner than a pod starts.
            raise BuildFailure(reason, _unavailable(reason, error), final=True) from error
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
            f"The source could not be fetched from the object storage: {error}; nothing is lost, "
            "push again when the storage answers"
        )
    return f"The source could not be fetched: {error}; check the URL of the source"


def _noted(note: bytes) -> Mapping[str, str]:
    """Return the commits of submodules by their paths, as far as the note makes sense."""
    lines = (line.partition(" ") for line in note.decode("utf-8", "replace").splitlines())
    return {path: commit for commit, _, path in lines if path and _COMMIT.fullmatch(commit)}


def folder_of(path: str) -> str:
    """Return the folder that a path within the source names, in its plain form."""
    try:
        return "/".join(tree.member_path(path))
    except tree.BadPath as error:
        raise _invalid(f"The path {path!r} is refused: {error}") from error


def _require_folder(root: Path, folder: str) -> None:
    chosen = root
    for part in tree.member_path(folder):
        chosen /= part
        if chosen.is_symlink() or not chosen.is_dir():
            raise _invalid(
                f"The path {folder!r} is no folder of the source; deploy the whole repository, "
                "or change the app's path: haikube path FOLDER"
            )


def _check_checkout(root: Path, limit: int) -> Mapping[tree.Path, str]:
    """Apply the rules of archives to a working tree that git wrote; returns links left out."""
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
    if size > limit:
        raise BuildFailure(Reason.SOURCE_TOO_LARGE, f"The source has {size} bytes, over {limit}")
    try:
        _, left = tree.parted(links)
    except tree.BadPath as error:
        raise _invalid(f"The source is refused: {error}") from error
    for link in left:
        root.joinpath(*link).unlink(missing_ok=True)
    return left


def _invalid(message: str) -> BuildFailure:
    return BuildFailure(Reason.SOURCE_INVALID, message)
