from __future__ import annotations

import contextlib
import gzip
import io
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from build.rig import Archive
from haikube.build import archive as module
from haikube.build.archive import lift_single_folder, unpack
from haikube.build.failure import BuildFailure, Reason

MEGA = 1_000_000


def refused(path: Path, tmp_path: Path, limit: int = MEGA) -> str:
    root = tmp_path / "root"
    root.mkdir()
    with pytest.raises(BuildFailure) as caught:
        unpack(path, root, limit=limit)
    assert not (tmp_path / "escaped").exists()
    return f"{caught.value.reason}: {caught.value.message}"


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([("../escaped", {"data": b"x"})], "'..'"),
        ([("/escaped", {"data": b"x"})], "absolute"),
        (
            [
                ("out", {"type": tarfile.SYMTYPE, "linkname": ".."}),
                ("out/escaped", {"data": b"x"}),
            ],
            "behind a link",
        ),
        ([("hard", {"type": tarfile.LNKTYPE, "linkname": "../escaped"})], "'..'"),
        ([("hard", {"type": tarfile.LNKTYPE, "linkname": "nothing"})], "hard link"),
        ([("null", {"type": tarfile.CHRTYPE, "devmajor": 1, "devminor": 3})], "device"),
        ([("disk", {"type": tarfile.BLKTYPE, "devmajor": 8})], "device"),
        ([("pipe", {"type": tarfile.FIFOTYPE})], "pipe"),
        ([("a", {"data": b"x"}), ("a/b", {"data": b"x"})], "file in one place"),
        ([("a/b", {"data": b"x"}), ("a", {"data": b"x"})], "file in one place"),
        ([("a", {"data": b"x"}), ("a", {"type": tarfile.DIRTYPE})], "file in one place"),
        ([("a", {"data": b"x"}), ("a/b", {"type": tarfile.DIRTYPE})], "file in one place"),
        ([("a", {"data": b"x"}), ("a/b/c", {"data": b"x"})], "file in one place"),
        (
            [("a/b", {"data": b"x"}), ("a", {"type": tarfile.SYMTYPE, "linkname": "c"})],
            "link in one place",
        ),
        (
            [("a", {"data": b"x"}), ("a/b", {"type": tarfile.SYMTYPE, "linkname": "c"})],
            "link in one place",
        ),
    ],
)
def test_hostile_members_are_refused_by_name(
    archive: Archive, tmp_path: Path, members: list[tuple[str, dict[str, Any]]], words: str
) -> None:
    message = refused(archive(*members), tmp_path)
    assert message.startswith(Reason.SOURCE_INVALID)
    assert words in message
    assert repr(members[-1][0])[1:-1] in message


@pytest.mark.parametrize(
    ("member", "words"),
    [
        ((f"a/{'n' * 256}", {"data": b"x"}), "a part of its name is longer than 255 bytes"),
        (("é" * 128, {"data": b"x"}), "a part of its name is longer than 255 bytes"),
        (("a/" * 1600 + "b", {"data": b"x"}), "its name is longer than 3072 bytes"),
    ],
)
def test_names_that_no_disk_takes_are_refused(
    archive: Archive, tmp_path: Path, member: tuple[str, dict[str, Any]], words: str
) -> None:
    assert words in refused(archive(member), tmp_path)


@pytest.mark.parametrize(
    ("links", "left"),
    [
        ({"out": "../escaped"}, {"out": "it leads out of the source"}),
        ({"out": "/etc/passwd"}, {"out": "it leads out of the source, to /etc/passwd"}),
        ({"a": "b", "b": "a"}, {"a": "it runs in a circle", "b": "it runs in a circle"}),
        ({"a": "b/" * 1600}, {"a": "it says more than 3072 bytes"}),
        ({"a": "b/../../..", "b": "c/d"}, {"a": "it leads out of the source"}),
        ({"down/a": "../b/../x", "b": "/nowhere/at/all"}, None),
        ({"fine": "nothing/here", "home": "/app/file"}, {}),
    ],
)
def test_links_that_lead_out_are_left_out(
    archive: Archive, tmp_path: Path, links: dict[str, str], left: dict[str, str] | None
) -> None:
    root = tmp_path / "root"
    root.mkdir()
    members = [(name, {"type": tarfile.SYMTYPE, "linkname": to}) for name, to in links.items()]
    found = unpack(archive(("file", {"data": b"x"}), *members), root, limit=MEGA)
    told = {"/".join(path): why for path, why in found.items()}
    assert told == left or left is None
    for name in links:
        assert root.joinpath(name).is_symlink() == (name not in told)
    assert (root / "file").read_bytes() == b"x"


def test_a_link_is_bad_for_want_of_another_too(archive: Archive, tmp_path: Path) -> None:
    """Without b, which leads out, a would lead out as well once somebody makes a folder b."""
    root = tmp_path / "root"
    root.mkdir()
    links = {"deep/b": "/outside/x/y", "a": "deep/b/../../../.."}
    members = [(name, {"type": tarfile.SYMTYPE, "linkname": to}) for name, to in links.items()]
    assert set(unpack(archive(*members), root, limit=MEGA)) == {("deep", "b"), ("a",)}


def test_the_longest_name_is_kept(archive: Archive, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    unpack(archive(("é" * 127 + "n", {"data": b"x"})), root, limit=10)
    assert [path.read_bytes() for path in root.iterdir()] == [b"x"]


def test_set_id_bits_are_dropped_and_modes_kept(archive: Archive, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    unpack(
        archive(("run", {"mode": 0o6755, "data": b"#!"}), ("text", {"mode": 0o444})),
        root,
        limit=MEGA,
    )
    assert (root / "run").stat().st_mode & 0o7777 == 0o755
    assert (root / "text").stat().st_mode & 0o7777 == 0o644


def test_links_inside_are_kept_as_they_are(archive: Archive, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    source = archive(
        ("deep/up", {"type": tarfile.SYMTYPE, "linkname": "../file"}),
        ("file", {"data": b"x", "mtime": 1_000_000_000}),
        ("same", {"type": tarfile.LNKTYPE, "linkname": "./file"}),
        ("dangling", {"type": tarfile.SYMTYPE, "linkname": "deep/nowhere"}),
    )
    unpack(source, root, limit=MEGA)
    assert str((root / "deep" / "up").readlink()) == "../file"
    assert (root / "same").stat().st_ino == (root / "file").stat().st_ino
    assert (root / "file").stat().st_mtime == 1_000_000_000
    assert (root / "dangling").is_symlink()


def test_a_file_after_a_link_of_its_name_replaces_it(archive: Archive, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    link = ("x", {"type": tarfile.SYMTYPE, "linkname": "y"})
    unpack(archive(link, ("x", {"data": b"file"})), root, limit=MEGA)
    assert (root / "x").read_bytes() == b"file"


def test_a_file_that_comes_twice_is_the_last_one(archive: Archive, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    source = archive(
        ("x", {"data": b"first"}),
        ("same", {"type": tarfile.LNKTYPE, "linkname": "x"}),
        ("x", {"data": b"2nd", "mode": 0o755}),
    )
    unpack(source, root, limit=MEGA)
    assert (root / "x").read_bytes() == b"2nd"
    assert (root / "x").stat().st_mode & 0o777 == 0o755
    assert (root / "same").read_bytes() == b"first"


def test_a_hard_link_to_itself_changes_nothing(archive: Archive, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    link = ("a", {"type": tarfile.LNKTYPE, "linkname": "a"})
    unpack(archive(("a", {"data": b"x"}), link), root, limit=10)
    assert (root / "a").read_bytes() == b"x"


def test_folders_need_not_be_members(archive: Archive, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    folder = {"type": tarfile.DIRTYPE}
    unpack(
        archive(("a/b/c", {"data": b"x"}), ("d/e", folder), ("d", folder), ("d/e/f", {})),
        root,
        limit=MEGA,
    )
    assert (root / "a" / "b" / "c").read_bytes() == b"x"
    assert (root / "d" / "e" / "f").is_file()


def test_the_umask_changes_no_mode(archive: Archive, tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    before = os.umask(0o077)
    try:
        unpack(archive(("run", {"mode": 0o755})), root, limit=MEGA)
    finally:
        os.umask(before)
    assert (root / "run").stat().st_mode & 0o777 == 0o755


def test_a_bomb_is_stopped(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.tar.gz"
    with tarfile.open(bomb, "w:gz") as tar:
        info = tarfile.TarInfo("zeros")
        info.size = 50 * MEGA
        tar.addfile(info, io.BytesIO(bytes(info.size)))
    assert bomb.stat().st_size < MEGA
    assert "SourceTooLarge: The source unpacks to more than 1000000 bytes" in refused(
        bomb, tmp_path
    )


def test_a_sparse_bomb_is_stopped(tmp_path: Path) -> None:
    hole = tmp_path / "hole"
    with hole.open("wb") as file:
        file.truncate(1 << 40)
    sparse = tmp_path / "sparse.tar"
    subprocess.run(["tar", "--sparse", "-cf", sparse, "-C", tmp_path, "hole"], check=True)
    assert "SourceTooLarge" in refused(sparse, tmp_path)


def test_too_many_files_are_stopped(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_ENTRIES", 3)
    many = archive(*((f"file{number}", {}) for number in range(4)))
    assert "more than 3 files" in refused(many, tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"no tar", gzip.compress(b"no tar", mtime=0), b"\x1f\x8b broken"]
)
def test_what_is_no_archive_is_said_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "source"
    path.write_bytes(content)
    assert "not a readable tar archive" in refused(path, tmp_path)


def damaged_at_a_member(packed: Path) -> Path:
    """Unpacked as far as it goes, this ends where another member might begin."""
    content = os.urandom(16 * tarfile.BLOCKSIZE)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as tar:
        info = tarfile.TarInfo("file")
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    kept = plain.getvalue()[: tarfile.BLOCKSIZE + len(content)]
    packed.write_bytes(gzip.compress(kept, mtime=0)[:-8] + bytes(8))
    return packed


def test_an_archive_whose_packing_is_damaged_is_refused(tmp_path: Path) -> None:
    message = refused(damaged_at_a_member(tmp_path / "source"), tmp_path)
    assert "not a readable tar archive: its packing is damaged" in message


def pax(size: int) -> bytes:
    header = tarfile.TarInfo("pax")
    header.type = tarfile.XHDTYPE
    header.size = size
    return header.tobuf(tarfile.GNU_FORMAT)


def sparse_without_end() -> bytes:
    header = bytearray(tarfile.TarInfo("sparse").tobuf(tarfile.GNU_FORMAT))
    header[156:157] = tarfile.GNUTYPE_SPARSE
    header[482] = 1
    header[148:156] = b"%06o\0 " % (256 + sum(header[:148]) + sum(header[156:]))
    return bytes(header)


@pytest.mark.parametrize(
    "content",
    [
        tarfile.TarInfo("whole").tobuf() + pax(50 * MEGA) + bytes(50 * MEGA),
        tarfile.TarInfo("whole").tobuf() + pax(-1024) + bytes(1024),
        pax(0) * 5000,
        sparse_without_end(),
    ],
    ids=["long", "negative", "endless", "sparse"],
)
def test_made_up_headers_are_refused(tmp_path: Path, content: bytes) -> None:
    source = tmp_path / "source"
    source.write_bytes(content)
    assert "not a readable tar archive" in refused(source, tmp_path)


@pytest.mark.parametrize("size", [600, 3 * MEGA])
def test_a_file_that_ends_early_is_refused(archive: Archive, tmp_path: Path, size: int) -> None:
    whole = archive(("file", {"data": bytes(size)}))
    with whole.open("r+b") as file:
        file.truncate(tarfile.BLOCKSIZE + size - 1)
    assert "unexpected end of data" in refused(whole, tmp_path, 10 * MEGA)


@pytest.mark.parametrize("option", ["--gzip", "--zstd", "--bzip2", "--xz", "--lzma"])
def test_every_usual_packing_is_read(tmp_path: Path, option: str) -> None:
    content = os.urandom(3 * MEGA)
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "file").write_bytes(content)
    packed = tmp_path / "source"
    subprocess.run(["tar", option, "-cf", packed, "-C", tmp_path / "in", "."], check=True)
    (tmp_path / "root").mkdir()
    unpack(packed, tmp_path / "root", limit=10 * MEGA)
    assert (tmp_path / "root" / "file").read_bytes() == content


def test_holes_of_a_sparse_file_are_zeros(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with (tmp_path / "in" / "file").open("wb") as file:
        file.seek(MEGA)
        file.write(b"end")
    packed = tmp_path / "source"
    subprocess.run(["tar", "--sparse", "-czf", packed, "-C", tmp_path / "in", "."], check=True)
    (tmp_path / "root").mkdir()
    unpack(packed, tmp_path / "root", limit=2 * MEGA)
    assert (tmp_path / "root" / "file").read_bytes() == bytes(MEGA) + b"end"


def test_a_single_folder_is_lifted(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "repo-c0ffee").mkdir(parents=True)
    (root / "repo-c0ffee" / "Procfile").touch()
    lift_single_folder(root)
    assert (root / "Procfile").exists()
    lift_single_folder(root)
    assert (root / "Procfile").exists()


kinds = st.sampled_from([tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE])
parts = st.sampled_from(["a", "b", "..", ".", "c"])
names = st.lists(parts, min_size=1, max_size=4).map("/".join)
members = st.tuples(st.sampled_from(["", "/"]), names, kinds, names)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None
)
@given(st.lists(members, max_size=6))
def test_nothing_is_ever_written_outside(
    archive: Archive, tmp_path_factory: pytest.TempPathFactory, wild: list[Any]
) -> None:
    place = tmp_path_factory.mktemp("fuzz")
    root = place / "root"
    root.mkdir()
    source = archive(
        *(
            (prefix + name, {"type": kind, "linkname": link, "data": b""})
            for prefix, name, kind, link in wild
        )
    )
    with contextlib.suppress(BuildFailure):
        unpack(source, root, limit=MEGA)
    assert [path.name for path in place.iterdir()] == ["root"]
    for path in root.rglob("*"):
        assert Path(os.path.realpath(path)).is_relative_to(root)
