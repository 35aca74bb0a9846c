"""Stack images come from one package list each, natively and in Containerfiles alike."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from haikube.local.paths import data_root
from haikube.local.rootfs import Rootfs, make_rootfs, read_packages

STACK = data_root() / "buildpacks" / "stacks" / "debian-13"


def test_comments_and_empty_lines_are_no_packages() -> None:
    assert read_packages("# a\n\nbash  # shell\ncurl\n") == ["bash", "curl"]


def test_the_run_image_has_no_compiler_and_the_build_image_everything_of_it() -> None:
    run, build = Rootfs.of(STACK, ("run",)), Rootfs.of(STACK, ("run", "build"))

    assert set(run.packages) < set(build.packages)
    assert {"build-essential", "git", "python3"} <= set(build.packages) - set(run.packages)
    assert not [name for name in run.packages if name.startswith(("gcc", "g++", "python3", "git"))]
    assert not [name for name in run.packages if name.endswith("-dev")]


@pytest.mark.parametrize("name", ["run", "build", "platform"])
def test_lists_name_each_package_once(name: str) -> None:
    packages = read_packages((STACK / f"{name}.packages").read_text())

    assert len(packages) == len(set(packages))


@pytest.mark.parametrize("name", ["run", "build"])
def test_containerfiles_read_the_same_lists(name: str) -> None:
    text = (STACK / f"Containerfile.{name}").read_text()

    assert f"stacks/debian-13/{name}.packages" in text
    assert "stacks/debian-13/finish" in text
    assert "USER 12345:12345" in text


def test_whatever_shapes_a_filesystem_changes_its_key(tmp_path: Path) -> None:
    shutil.copytree(STACK, tmp_path, dirs_exist_ok=True)
    before = Rootfs.of(tmp_path, ("run",)).key
    finish = tmp_path / "finish"
    finish.write_text(finish.read_text() + "# more\n")
    touched = Rootfs.of(tmp_path, ("run",)).key
    (tmp_path / "run.packages").write_text("bash\n")

    assert len({before, touched, Rootfs.of(tmp_path, ("run",)).key}) == 3
    assert Rootfs.of(STACK, ("run",)).key == before


def test_a_mirror_is_an_argument_not_another_filesystem(tmp_path: Path) -> None:
    plain = Rootfs.of(STACK, ("run",))
    mirrored = Rootfs.of(STACK, ("run",), "http://mirror.example")

    assert mirrored.key == plain.key
    assert mirrored.argv(tmp_path)[-1] == "http://mirror.example"
    assert plain.argv(tmp_path)[-1] == str(tmp_path)


def test_a_filesystem_in_the_cache_is_not_made_again(tmp_path: Path) -> None:
    rootfs = Rootfs.of(STACK, ("run",))
    (tmp_path / f"rootfs-{rootfs.key}.tar").write_bytes(b"tar")

    assert make_rootfs(rootfs, tmp_path).path.read_bytes() == b"tar"
