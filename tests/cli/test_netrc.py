"""Entries of ``~/.netrc`` come and go; every other byte stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from haikube.cli import netrc

OTHERS = [
    "",
    "machine example.org\n  login a\n  password b\n",
    "machine example.org login a password b\nmachine x login y password z\n",
    "# a comment\nmachine localhost login a password b\n\n",
    "machine localhost:70070 login a password b\n",
    "machine xlocalhost:7007 login a password b\n",
    "default login anonymous password me\n",
    "macdef init\n  cd /pub\n\nmachine a.b login c password d\n",
]


@pytest.mark.parametrize("rest", OTHERS)
def test_an_entry_comes_changes_and_goes(home: Path, rest: str) -> None:
    file = home / ".netrc"
    if rest:
        file.write_text(rest)
    assert netrc.put("localhost:7007", "ada@example.com", "key-1")
    assert not netrc.put("localhost:7007", "ada@example.com", "key-1")
    assert netrc.password("localhost:7007") == "key-1"
    assert netrc.put("localhost:7007", "ada@example.com", "key-2")
    assert netrc.password("localhost:7007") == "key-2"
    assert file.read_text().count("key-") == 1
    assert netrc.drop("localhost:7007")
    assert (file.read_text() if file.exists() else "") == rest


def test_a_new_file_is_private_and_a_link_stays_one(home: Path) -> None:
    real = home / "dotfiles" / "netrc"
    real.parent.mkdir()
    (home / ".netrc").symlink_to(real)
    netrc.put("localhost:7007", "a", "k")
    assert (home / ".netrc").is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "text",
    [
        "machine localhost:7007 login a password old machine b login c password d\n",
        "machine\tlocalhost:7007\n\tpassword old\n\tlogin a\nmachine b login c password d\n",
    ],
)
def test_an_entry_is_found_however_it_is_laid_out(home: Path, text: str) -> None:
    (home / ".netrc").write_text(text)
    assert netrc.password("localhost:7007") == "old"
    netrc.drop("localhost:7007")
    assert "machine b login c password d" in (home / ".netrc").read_text()
    assert "old" not in (home / ".netrc").read_text()
