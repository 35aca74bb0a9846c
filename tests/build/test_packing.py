"""``tar | zstd``: what is packed comes back, and an end of time or of a program is told."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from haikube.build.deadline import Deadline
from haikube.build.failure import BuildFailure, Reason
from haikube.build.packing import PackingError, pack, unpack_trusted


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "folder"
    (made / "sub").mkdir(parents=True)
    (made / "sub" / "file").write_text("content")
    (made / "link").symlink_to("sub/file")
    return made


def test_what_is_packed_comes_back(folder: Path, tmp_path: Path) -> None:
    archive, again = tmp_path / "a.tar.zst", tmp_path / "again"
    again.mkdir()
    packed = pack(folder, archive, ["--sort=name"], level=1, deadline=Deadline(60))
    unpack_trusted(archive, again, deadline=Deadline(60))

    content = archive.read_bytes()
    assert packed.size == len(content)
    assert packed.digest == f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert (again / "link").read_text() == "content"
    assert (again / "link").is_symlink()


def test_an_end_of_time_is_a_failure_of_the_build(folder: Path, tmp_path: Path) -> None:
    moments = iter([0.0, 0.5, 2.0])
    deadline = Deadline(1, clock=lambda: next(moments))
    with pytest.raises(BuildFailure) as caught:
        pack(folder, tmp_path / "a", [], level=1, deadline=deadline)
    assert caught.value.reason is Reason.BUILD_TIMED_OUT


def test_a_program_that_does_not_end_is_ended(folder: Path, tmp_path: Path) -> None:
    endless = ["--checkpoint=1", "--checkpoint-action=exec=sleep 60"]
    (folder / "big").write_bytes(bytes(1 << 20))
    with pytest.raises(BuildFailure) as caught:
        pack(folder, tmp_path / "a", endless, level=1, deadline=Deadline(0.3))
    assert caught.value.reason is Reason.BUILD_TIMED_OUT


def test_what_tar_says_is_the_error(tmp_path: Path) -> None:
    with pytest.raises(PackingError, match="No such file or directory"):
        pack(tmp_path / "nowhere", tmp_path / "a", [], level=1, deadline=Deadline(60))


def test_a_damaged_archive_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"no archive")
    with pytest.raises(PackingError, match="zstd"):
        unpack_trusted(tmp_path / "a", tmp_path, deadline=Deadline(60))
