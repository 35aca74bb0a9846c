"""The words of tools that were not let in: the library's own functions, without a stack."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "buildpacks" / "lib" / "private.sh"


def ask(function: str, log: Path) -> subprocess.CompletedProcess[str]:
    script = f'set -Eeuo pipefail; source "$1"; {function} "$2"'
    return subprocess.run(
        ["bash", "-c", script, "bash", LIBRARY, log], capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    ("line", "host"),
    [
        (
            "fatal: could not read Username for 'https://git.example.com': terminal",
            "git.example.com",
        ),
        (
            "fatal: Authentication failed for 'https://ada@git.example.com/a.git/'",
            "git.example.com",
        ),
        ("git@git.example.com: Permission denied (publickey).", "git.example.com"),
        ("fatal: could not read Username for 'http://localhost:8080': No such", "localhost:8080"),
        ("fatal: repository 'https://git.example.com/a.git/' not found", ""),
        ("Downloading https://packages.example.com/a.whl (401 kB)", ""),
    ],
)
def test_a_git_repository(tmp_path: Path, line: str, host: str) -> None:
    log = tmp_path / "log"
    log.write_text(f"before\n{line}\nafter\n")

    assert ask("refused_repository", log).stdout.strip() == host


@pytest.mark.parametrize(
    ("line", "refused"),
    [
        ("authentication failed for https://m2.example.com/a.pom, status: 401 Unauthorized", True),
        ("Could not transfer artifact a:b:pom:1 from/to m2: status code: 403, reason", True),
        ("not found: ...\n  unauthorized: https://m2.example.com/a.pom (realm)", True),
        ("  forbidden: https://m2.example.com/a.pom", True),
        ("> Could not GET 'https://m2.example.com/a.pom'. Received status code 401", True),
        ("Not authorized , ReasonPhrase: Unauthorized.", True),
        ("Could not find artifact a:b:pom:1 in central", False),
        ("Downloaded 401 kB", False),
    ],
)
def test_a_repository_of_libraries(tmp_path: Path, line: str, *, refused: bool) -> None:
    log = tmp_path / "log"
    log.write_text(f"before\n{line}\nafter\n")

    assert (ask("repository_refused", log).returncode == 0) == refused
