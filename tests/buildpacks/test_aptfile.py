"""What an Aptfile asks for, and what is said of names that the stack lacks, in bash alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from buildpacks.shell import Shell

PARTS = ("aptfile", "install")


@pytest.fixture
def apt(shell: Callable[[str], Shell]) -> Shell:
    return shell("apt")


def test_names_of_ubuntu_are_those_of_the_stack(apt: Shell) -> None:
    apt.write({"Aptfile": "jq\nlibgl1-mesa-glx chromium-browser # for reports\r\nlibvips-dev\n"})
    shown = apt.run('read_aptfile\necho "${PACKAGES[*]}"', *PARTS)
    assert shown.splitlines()[-1] == "jq libgl1 chromium libvips-dev"
    assert " !     Names of Ubuntu in the Aptfile are other ones on the stack debian-13" in shown
    assert " !     libgl1-mesa-glx is libgl1\n !     chromium-browser is chromium\n" in shown
    apt.write({"Aptfile": "jq\n"})
    assert apt.run('read_aptfile\necho "${PACKAGES[*]}"', *PARTS) == "jq\n"


def test_libraries_that_a_script_would_lead_to_are_found(apt: Shell) -> None:
    folder = apt.place / "build" / ".apt" / "usr" / "lib" / "here"
    for name in (
        *("blas/libblas.so.3", "blas/libblas.so.3.12", "lapack/liblapack.so.3", "libz.so.1"),
        *("pulseaudio/libpulsecommon-17.so", "gtk-3.0/im-x.so", "atlas/libblas.so.3"),
        *("sasl2/libz.so.1", "deep/er/libq.so.1"),
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    line = "readonly APT_FOLDER=.apt\nmachine_name() { echo here; }\nlink_hidden_libraries"
    for _ in range(2):
        apt.run(line, "environment")
    found = {each.name: each.read_text() for each in folder.iterdir() if each.is_file()}
    assert found == {
        "libblas.so.3": "atlas/libblas.so.3",
        "libblas.so.3.12": "blas/libblas.so.3.12",
        "liblapack.so.3": "lapack/liblapack.so.3",
        "libpulsecommon-17.so": "pulseaudio/libpulsecommon-17.so",
        "libz.so.1": "libz.so.1",
    }
    assert not any(each.is_absolute() for each in map(Path.readlink, links(folder)))


def links(folder: Path) -> list[Path]:
    return [each for each in folder.iterdir() if each.is_symlink()]


HERE = """
apt_here() {
  printf '%s\\n' libtiff6 libtiff-dev libtiffxx6 libicu76 libreadline8t64 libgdal36 libgdal-dev |
    grep "^${*: -1}"
}
explain_apt "$BUILD_DIR/log"
"""


@pytest.mark.parametrize(
    ("said", "missing", "instead"),
    [
        (
            "E: Unable to locate package libtiff5",
            "libtiff5",
            "Instead of libtiff5 there is libtiff6.",
        ),
        (
            "E: Package 'libicu74' has no installation candidate",
            "libicu74",
            "Instead of libicu74 there is libicu76.",
        ),
        (
            "E: Unable to locate package libreadline7",
            "libreadline7",
            "Instead of libreadline7 there is libreadline8t64.",
        ),
        ("E: Unable to locate package no-such", "no-such", ""),
        ("E: Unable to locate package libnosuch7", "libnosuch7", ""),
        ("E: Version '9' for 'jq' was not found", "jq", ""),
    ],
)
def test_a_package_that_there_is_not(apt: Shell, said: str, missing: str, instead: str) -> None:
    apt.write({"log": f"       {said}\n"})
    shown = apt.run(HERE, *PARTS, code=77)
    assert (
        f" !     The Aptfile asks for what the stack debian-13 does not have: {missing}\n" in shown
    )
    assert f" !     {instead}{' ' if instead else ''}Look the names up among the packages" in shown
