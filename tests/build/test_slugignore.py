from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikube.build.slugignore import apply_slugignore, parse_slugignore


def matches(pattern: str, path: str, *, folder: bool = False) -> bool:
    return any(rule.matches(path, folder=folder) for rule in parse_slugignore(pattern))


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("*.psd", "logo.psd"),
        ("*.psd", "a/b/logo.psd"),
        ("/*.psd", "logo.psd"),
        ("/docs", "docs"),
        ("docs", "a/docs"),
        ("a/*.txt", "a/x.txt"),
        ("a/*.txt", "deep/a/x.txt"),
        ("a/**/z", "a/z"),
        ("a/**/z", "a/b/c/z"),
        ("**/z", "z"),
        ("a/**", "a/b/c"),
        ("file?.rb", "file1.rb"),
        ("[ab].c", "b.c"),
        ("[!ab].c", "x.c"),
        (r"\#x", "#x"),
        ("sp ace", "sp ace"),
        ("[", "["),
    ],
)
def test_matches(pattern: str, path: str) -> None:
    assert matches(pattern, path)


@pytest.mark.parametrize(
    ("pattern", "path"),
    [
        ("/*.psd", "a/logo.psd"),
        ("*.psd", "logo.psdx"),
        ("a/*.txt", "a/b/x.txt"),
        ("docs/", "docs"),
        ("!keep", "keep"),
        ("# docs", "docs"),
        ("file?.rb", "file10.rb"),
        ("[!ab].c", "a.c"),
        ("a.c", "abc"),
    ],
)
def test_does_not_match(pattern: str, path: str) -> None:
    assert not matches(pattern, path)


def test_a_trailing_slash_means_folders() -> None:
    assert matches("docs/", "a/docs", folder=True)


@given(st.text())
def test_any_text_is_a_set_of_rules(text: str) -> None:
    for rule in parse_slugignore(text):
        rule.matches("a/b.c", folder=False)


@given(st.text(st.characters(codec="utf-8", exclude_characters="*?[\\/\n\r!#"), min_size=1))
def test_a_plain_name_matches_itself(name: str) -> None:
    if name.strip() == name and len(name.splitlines()) == 1:
        assert matches(name, f"x/{name}")


def test_files_are_removed_and_links_are_not_followed(tmp_path: Path) -> None:
    app, outside = tmp_path / "app", tmp_path / "outside"
    for folder in (app / "docs" / "deep", app / "src", outside):
        folder.mkdir(parents=True)
    for file in ("docs/deep/a.md", "src/b.md", "src/b.py"):
        (app / file).touch()
    (outside / "kept.md").touch()
    (app / "link").symlink_to(outside)
    (app / ".slugignore").write_bytes(b"# docs\r\n\r\n*.md\r\n/docs\r\nlink\r\n")

    assert apply_slugignore(app) == 3

    assert sorted(path.name for path in app.rglob("*")) == [".slugignore", "b.py", "src"]
    assert (outside / "kept.md").exists()


def test_no_file_removes_nothing(tmp_path: Path) -> None:
    assert apply_slugignore(tmp_path) == 0
