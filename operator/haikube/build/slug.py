"""The slug: BUILD_DIR as ``./app`` in a tar.zst, stored under its presigned URL."""

from __future__ import annotations

from typing import Final

from haikube.build.deadline import Deadline
from haikube.build.disk import disk_failure, is_full
from haikube.build.failure import BuildFailure, Reason
from haikube.build.layout import Layout
from haikube.build.packing import PackingError, pack
from haikube.build.request import Limits
from haikube.build.transcript import Transcript
from haikube.build.transfer import Fetched, Transfer, TransferError

DYNO_ID: Final = 12345
_LEVEL: Final = 3
_MEGA: Final = 1_000_000

TAR_OPTIONS: Final = (
    "--sort=name",
    "--numeric-owner",
    f"--owner={DYNO_ID}",
    f"--group={DYNO_ID}",
    # r and h, not s: names and hard-link targets move to ./app, what a symlink says stays.
    r"--transform=flags=rh;s,^\.,./app,",
)


def pack_slug(
    layout: Layout, limits: Limits, transcript: Transcript, deadline: Deadline
) -> Fetched:
    """Pack BUILD_DIR and hold the result against the limits."""
    transcript.topic("Compressing...")
    try:
        slug = pack(
            layout.build_dir,
            layout.spool / "slug.tar.zst",
            TAR_OPTIONS,
            level=_LEVEL,
            deadline=deadline,
        )
    except PackingError as error:
        if is_full(layout.scratch):
            raise disk_failure() from error
        raise BuildFailure(
            Reason.COMPILE_FAILED,
            f"The slug could not be packed: {error}; the buildpack left files that the build's "
            "user may not read",
        ) from error
    transcript.detail(f"Done: {megabytes(slug.size)}")
    _check_size(slug.size, limits, transcript)
    return slug


def store_slug(layout: Layout, transfer: Transfer) -> None:
    """Upload the packed slug."""
    url = layout.url("slug-put")
    if url is None:
        raise BuildFailure(
            Reason.STORAGE_UNAVAILABLE, "The build got no URL for its slug; start the build again"
        )
    try:
        transfer.put_file(url, layout.spool / "slug.tar.zst")
    except TransferError as error:
        raise BuildFailure(
            Reason.STORAGE_UNAVAILABLE,
            f"The slug could not be stored: {error}; the object storage must be reachable",
        ) from error


def megabytes(size: int) -> str:
    """Return a size as Heroku prints it, ``41.7M``."""
    return f"{size / _MEGA:.1f}M"


def _check_size(size: int, limits: Limits, transcript: Transcript) -> None:
    if size > limits.slug_bytes:
        raise BuildFailure(
            Reason.SLUG_TOO_LARGE,
            f"Compiled slug size: {megabytes(size)} is too large "
            f"(max is {megabytes(limits.slug_bytes)}); "
            "name files that the app does not need at run time in .slugignore",
        )
    if size > limits.slug_warning_bytes:
        transcript.warning(
            f"Warning: Your slug size ({megabytes(size)}) exceeds our soft limit "
            f"({megabytes(limits.slug_warning_bytes)}) which may affect boot time."
        )
