"""The node's control groups, on a made-up /sys/fs/cgroup of either version."""

from __future__ import annotations

from pathlib import Path

import pytest

from haikube.local import cgroups

NAME = "haikube-local"


@pytest.fixture
def version_one(tmp_path: Path) -> Path:
    for name in ("cpu", "cpuset", "memory"):
        (tmp_path / name).mkdir()
    (tmp_path / "cpuset" / "cpuset.cpus").write_text("0-1\n")
    (tmp_path / "cpuacct").symlink_to(tmp_path / "cpu")
    return tmp_path


@pytest.fixture
def version_two(tmp_path: Path) -> Path:
    (tmp_path / "cgroup.controllers").write_text("cpu memory\n")
    (tmp_path / "cgroup.subtree_control").write_text("")
    return tmp_path


def test_each_hierarchy_of_version_one_gets_a_group(version_one: Path) -> None:
    cgroups.create(NAME, version_one)

    found = [group.parent.name for group in cgroups.leftovers(NAME, version_one)]
    assert found == ["cpu", "cpuset", "memory"]


def test_version_two_has_one_group_and_hands_controllers_down(version_two: Path) -> None:
    cgroups.create(NAME, version_two)

    assert cgroups.leftovers(NAME, version_two) == [version_two / NAME]
    assert (version_two / "cgroup.subtree_control").read_text() == "+memory"


def test_removal_takes_nested_groups_and_spares_those_of_others(version_one: Path) -> None:
    cgroups.create(NAME, version_one)
    (version_one / "cpu" / NAME / "kubepods" / "pod1").mkdir(parents=True)
    (version_one / "cpu" / "system.slice").mkdir()

    assert cgroups.remove(NAME, version_one) == []
    assert cgroups.leftovers(NAME, version_one) == []
    assert (version_one / "cpu" / "system.slice").is_dir()


def test_a_group_in_use_is_told(version_one: Path) -> None:
    cgroups.create(NAME, version_one)
    busy = version_one / "memory" / NAME
    (busy / "tasks").write_text("1")

    assert cgroups.remove(NAME, version_one, timeout=0.0) == [busy]


def test_creating_twice_is_the_same_as_once(version_one: Path) -> None:
    cgroups.create(NAME, version_one)
    cgroups.create(NAME, version_one)

    assert len(cgroups.leftovers(NAME, version_one)) == 3
