"""What is asked of containerd, against a ``ctr`` that writes down how it was called."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from haikube.local.archive import Image
from haikube.local.containerd import ImageStore
from haikube.local.layer import Entry, write_layer

CTR = """\
#!/usr/bin/env bash
echo "$*" >>"$CTR_CALLS"
case "$*" in
  *"images list"*) cat "$CTR_IMAGES" ;;
  *"content list"*) cat "$CTR_CONTENT" ;;
  *"images import"*) cp "${@: -1}" "$CTR_CALLS.tar" ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / "bin" / "ctr"
    program.parent.mkdir()
    program.write_text(CTR)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=":")
    for name in ("calls", "images", "content"):
        (tmp_path / name).write_text("")
        monkeypatch.setenv(f"CTR_{name.upper()}", str(tmp_path / name))
    return tmp_path / "calls"


@pytest.fixture
def image(tmp_path: Path) -> Image:
    layers = [write_layer({name: Entry(name.encode())}, tmp_path) for name in ("base", "code")]
    return Image("localhost/haikube/x", layers)


def test_an_image_that_is_there_is_not_imported(calls: Path, image: Image, tmp_path: Path) -> None:
    (tmp_path / "images").write_text(f"{image.reference}\nother:1\n")

    assert not ImageStore(tmp_path / "sock").ensure(image, tmp_path)
    assert "import" not in calls.read_text()


def test_only_layers_that_are_missing_are_imported(
    calls: Path, image: Image, tmp_path: Path
) -> None:
    (tmp_path / "content").write_text(f"sha256:{image.layers[0].digest}\n")

    assert ImageStore(tmp_path / "sock").ensure(image, tmp_path)
    with tarfile.open(f"{calls}.tar") as tar:
        names = tar.getnames()
    assert f"blobs/sha256/{image.layers[0].digest}" not in names
    assert f"blobs/sha256/{image.layers[1].digest}" in names


def test_the_archive_is_removed_after_the_import(image: Image, tmp_path: Path, calls: Path) -> None:
    ImageStore(tmp_path / "sock").ensure(image, tmp_path / "scratch")

    assert "--namespace k8s.io images import" in calls.read_text()
    assert list((tmp_path / "scratch").iterdir()) == []


def test_only_old_images_of_ours_are_removed(calls: Path, tmp_path: Path) -> None:
    names = ["localhost/haikube/a:1", "localhost/haikube/a:2", "registry.k8s.io/pause:3"]
    (tmp_path / "images").write_text("\n".join(names))

    removed = ImageStore(tmp_path / "sock").prune("localhost/haikube", {"localhost/haikube/a:2"})
    assert removed == 1
    assert calls.read_text().splitlines()[-1].endswith("images remove localhost/haikube/a:1")
