from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikube.build import tree

names = st.sampled_from(["a", "b", "c"])
paths = st.lists(names, min_size=1, max_size=3).map(tuple)
targets = st.lists(st.sampled_from(["a", "b", "c", "..", "."]), min_size=1, max_size=5).map(
    "/".join
)


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "a/..", "a\0b/c"])
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(tree.BadPath):
        tree.member_path(name)


def test_a_name_is_normalized() -> None:
    assert tree.member_path("./a//b/./c/") == ("a", "b", "c")


@pytest.mark.parametrize("target", ["/etc/passwd", "../x", "b/../../x", "/", "/app/../etc"])
def test_links_that_lead_out_are_found(target: str) -> None:
    ((path, why),) = tree.bad_links({("a",): target})
    assert path == ("a",)
    assert "out of the source" in why


def test_a_link_to_the_apps_own_home_is_inside() -> None:
    assert tree.resolve(("a",), {("a",): "/app/b/c"}) == ("b", "c")


@pytest.mark.parametrize("links", [{"a": "a"}, {"a": "b", "b": "a"}, {"a": "b/c", "b": "a"}])
def test_circles_are_found(links: dict[str, str]) -> None:
    found = dict(tree.bad_links({(name,): target for name, target in links.items()}))
    assert all("circle" in why for why in found.values())
    assert found


@given(st.dictionaries(paths, targets, max_size=4))
def test_links_that_pass_never_leave_a_real_folder(links: dict[tree.Path, str]) -> None:
    """Links are judged without a disk; a real one must agree that none leads out."""
    links = {
        path: to
        for path, to in links.items()
        if not any(path[:n] in links for n in (1, 2))
        or (path in links and all(path[:n] not in links for n in range(1, len(path))))
    }
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch).resolve() / "root"
        for path, target in links.items():
            link = root.joinpath(*path)
            link.parent.mkdir(parents=True, exist_ok=True)
            if not link.is_dir():
                link.symlink_to(target)
        bad = {path for path, _ in tree.bad_links(links)}
        for path in links.keys() - bad:
            link = root.joinpath(*path)
            if link.is_symlink():
                assert Path(os.path.realpath(link)).is_relative_to(root)
