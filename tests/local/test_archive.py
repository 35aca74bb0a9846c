"""Image archives: the same content gives the same bytes and the same name."""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
from pathlib import Path

import pytest

from haikube.local.archive import Image, write_archive
from haikube.local.layer import (
    Entry,
    Layer,
    entries_digest,
    prune_layers,
    tree_entries,
    write_layer,
)

FILES = {"haikube/lib/a.py": Entry(b"a = 1\n"), "bin/tool": Entry(b"#!/bin/sh\n", 0o755)}


def make_image(folder: Path, **config: object) -> Image:
    base = write_layer({"etc/base": Entry(b"base")}, folder)
    return Image("localhost/haikube/x", [base, write_layer(FILES, folder)], config)


def members(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]


def test_the_same_image_gives_the_same_bytes(tmp_path: Path) -> None:
    archives = []
    for name in ("one", "two"):
        image = make_image(tmp_path / name, User="1:1")
        write_archive(image, tmp_path / f"{name}.tar")
        archives.append((tmp_path / f"{name}.tar").read_bytes())

    assert archives[0] == archives[1]


def test_another_content_or_config_is_another_name(tmp_path: Path) -> None:
    image = make_image(tmp_path)
    fewer = Image(image.name, image.layers[:1])

    references = {image.reference, fewer.reference, make_image(tmp_path, User="0").reference}
    assert len(references) == 3
    assert all(len(reference.rpartition(":")[2]) == 12 for reference in references)


def test_the_archive_is_an_oci_layout_with_every_layer(tmp_path: Path) -> None:
    image = make_image(tmp_path, User="12345:12345")
    write_archive(image, tmp_path / "image.tar")
    files = members(tmp_path / "image.tar")

    index = json.loads(files["index.json"])["manifests"][0]
    manifest = json.loads(files["blobs/sha256/" + index["digest"].removeprefix("sha256:")])
    config = json.loads(files["blobs/sha256/" + manifest["config"]["digest"][7:]])
    assert index["annotations"]["io.containerd.image.name"] == image.reference
    assert config["config"] == {"User": "12345:12345"}
    assert config["rootfs"]["diff_ids"] == [layer["digest"] for layer in manifest["layers"]]
    assert len(manifest["layers"]) == 2
    for layer in manifest["layers"]:
        blob = files["blobs/sha256/" + layer["digest"][7:]]
        assert (hashlib.sha256(blob).hexdigest(), len(blob)) == (layer["digest"][7:], layer["size"])


def test_older_docker_engines_find_the_same_blobs(tmp_path: Path) -> None:
    image = make_image(tmp_path)
    write_archive(image, tmp_path / "image.tar")
    files = members(tmp_path / "image.tar")

    (entry,) = json.loads(files["manifest.json"])
    assert entry["RepoTags"] == [image.reference]
    assert {entry["Config"], *entry["Layers"]} <= files.keys()


def test_layers_that_the_store_has_are_left_out(tmp_path: Path) -> None:
    image = make_image(tmp_path)
    base, code = image.layers
    write_archive(image, tmp_path / "image.tar", omit=frozenset({base.digest}))
    files = members(tmp_path / "image.tar")

    assert f"blobs/sha256/{base.digest}" not in files
    assert f"blobs/sha256/{code.digest}" in files
    assert "manifest.json" not in files


def test_a_layer_holds_parents_modes_and_owners_but_no_times(tmp_path: Path) -> None:
    entries = {"app/data": Entry(mode=0o1777, owner=12345), "app/bin/x": Entry(b"x", 0o755)}
    layer = write_layer(entries, tmp_path)

    with tarfile.open(layer.path) as tar:
        shown = [(i.name, i.isdir(), i.mode, i.uid, i.mtime) for i in tar]
    assert shown == [
        ("app", True, 0o755, 0, 0),
        ("app/bin", True, 0o755, 0, 0),
        ("app/bin/x", False, 0o755, 0, 0),
        ("app/data", True, 0o1777, 12345, 0),
    ]


def test_the_clock_and_caches_of_the_checkout_do_not_reach_a_layer(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "__pycache__").mkdir(parents=True)
    (tree / "a.py").write_text("a")
    before = entries_digest(tree_entries(tree, "lib"))
    (tree / "__pycache__" / "a.pyc").write_bytes(b"noise")
    os.utime(tree / "a.py", (1, 1))

    assert entries_digest(tree_entries(tree, "lib")) == before


@pytest.mark.parametrize("change", [b"b", None], ids=["content", "folder instead of file"])
def test_any_change_of_an_entry_is_another_layer(tmp_path: Path, change: bytes | None) -> None:
    first = write_layer({"a": Entry(b"a")}, tmp_path)

    assert write_layer({"a": Entry(change)}, tmp_path) != first


def test_a_layer_remade_under_the_same_name_gets_a_new_digest(tmp_path: Path) -> None:
    path = tmp_path / "rootfs.tar"
    path.write_bytes(b"one")
    first = Layer.of(path)
    path.write_bytes(b"two")
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime + 10))

    assert Layer.of(path).digest == hashlib.sha256(b"two").hexdigest() != first.digest


def test_old_layers_of_former_checkouts_are_removed(tmp_path: Path) -> None:
    kept, old, young = (write_layer({name: Entry(b"")}, tmp_path) for name in "abc")
    for layer in (kept, old):
        os.utime(layer.path, (0, 0))

    assert prune_layers(tmp_path, {kept.path}, now=young.path.stat().st_mtime) == 1
    assert {path.name for path in tmp_path.glob("*.tar")} == {kept.path.name, young.path.name}
