"""The commands that ``up`` links: ours are renewed, those of others are left alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from haikube.local.linking import MARK, link_commands


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / ".local" / "bin"
    folder.mkdir(parents=True)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def environment(place: Path) -> dict[str, str]:
    return {"HOME": str(place.parent.parent), "PATH": str(place)}


def test_both_commands_are_made_where_there_are_none(place: Path, tmp_path: Path) -> None:
    kubectl = tmp_path / "haikube" / "kubectl"

    assert link_commands(kubectl, environment(place)) == f"haikube kubectl in {place}"
    assert MARK in (place / "haikube").read_text()
    assert (place / "haikube").stat().st_mode & 0o111
    assert (place / "kubectl").readlink() == kubectl


def test_running_it_again_renews_what_is_ours(place: Path, tmp_path: Path) -> None:
    old, new = (tmp_path / "haikube" / name for name in ("old", "new"))
    link_commands(old, environment(place))

    link_commands(new, environment(place))

    assert (place / "kubectl").readlink() == new


def test_programs_of_others_stay(place: Path, tmp_path: Path) -> None:
    for name in ("haikube", "kubectl"):
        (place / name).write_text("#!/bin/sh\nsomebody's own\n")
        (place / name).chmod(0o755)

    assert link_commands(tmp_path / "kubectl", environment(place)) == f"nothing new in {place}"
    assert "somebody's own" in (place / "kubectl").read_text()


def test_without_a_place_it_says_what_to_run(tmp_path: Path) -> None:
    said = link_commands(tmp_path, {"HOME": str(tmp_path), "PATH": "/nowhere"})

    assert "python -m haikube.cli" in said
