"""When a package manager has nothing to do: the buildpack's own functions, without a stack."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[3] / "buildpacks" / "python" / "lib" / "unchanged.sh"


def nothing_to_do(app: Path, manager: str, **environment: str) -> bool:
    script = 'set -Eeuo pipefail; source "$1"; BUILD_DIR=$2; nothing_to_do "$3"'
    done = subprocess.run(
        ["bash", "-c", script, "bash", LIBRARY, app, manager],
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stderr, done.stderr
    return done.returncode == 0


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# only a comment",
        "django",
        "django==5.2.1  # as deployed",
        "Django ~= 5.2, != 5.2.3",
        "gunicorn[gevent] >=23,<24 ; python_version >= '3.11'",
        "six==1.17.0 \\\n    --hash=sha256:0123 \\\n    --hash=sha256:4567",
        "--index-url https://packages.example/simple\ndjango",
        "--find-links wheels/\ndjango",
        "django\r\ngunicorn\r",
        "-r requirements/base.txt",
        "--requirement=requirements/base.txt",
        "-c requirements/base.txt\ndjango",
    ],
)
def test_names_of_an_index_are_kept_by_pip(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "base.txt").write_text("django\n-r more.txt\n")
    (tmp_path / "requirements" / "more.txt").write_text("gunicorn\n")
    (tmp_path / "requirements.txt").write_text(line)

    assert nothing_to_do(tmp_path, "pip")


@pytest.mark.parametrize(
    "line",
    [
        ".",
        "./lib",
        "lib/demo",
        "-e .",
        "--editable lib",
        "demo-1.0-py3-none-any.whl",
        "demo-1.0.tar.gz ; python_version > '3'",
        "demo @ https://packages.example/demo.whl",
        "demo@file:///app/demo",
        "git+https://git.example/demo.git",
        "https://packages.example/demo.whl",
        "${PACKAGE}",
        "--upgrade",
        "-r ../shared.txt",
        "-r absent.txt",
        "-r requirements/local.txt",
        "-r https://packages.example/more.txt",
        "-r requirements/base",
    ],
)
def test_what_may_change_behind_its_name_is_left_to_pip(tmp_path: Path, line: str) -> None:
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements" / "local.txt").write_text("-e .\n")
    (tmp_path / "requirements" / "base").write_text("django\n")
    (tmp_path / "requirements.txt").write_text(f"django\n{line}\n")

    assert not nothing_to_do(tmp_path, "pip")


def test_settings_of_pip_that_ask_for_more_start_it(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("django\n")

    assert nothing_to_do(tmp_path, "pip", PIP_EXTRA_INDEX_URL="https://packages.example/simple")
    assert not nothing_to_do(tmp_path, "pip", PIP_UPGRADE="1")
    assert not nothing_to_do(tmp_path, "pip", PIP_CONSTRAINT="https://packages.example/all.txt")


@pytest.mark.parametrize(
    ("entry", "kept"),
    [
        ({"version": "==1.17.0", "hashes": ["sha256:0"], "index": "pypi", "markers": "x"}, True),
        ({"git": "https://git.example/demo.git", "ref": "0123"}, False),
        ({"path": ".", "editable": True}, False),
        ({"file": "https://packages.example/demo.whl"}, False),
    ],
)
def test_a_lock_file_of_pipenv(tmp_path: Path, entry: dict[str, object], *, kept: bool) -> None:
    (tmp_path / "Pipfile.lock").write_text(json.dumps({"default": {"demo": entry}}))

    assert nothing_to_do(tmp_path, "pipenv") == kept


@pytest.mark.parametrize(
    ("mode", "source", "kept"),
    [
        ("package-mode = false", "legacy", True),
        ("package-mode = false", "git", False),
        ("package-mode = false", "directory", False),
        ("", "legacy", False),
    ],
)
def test_a_lock_file_of_poetry(tmp_path: Path, mode: str, source: str, *, kept: bool) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.poetry]\n{mode}\n")
    (tmp_path / "poetry.lock").write_text(f'[[package]]\n[package.source]\ntype = "{source}"\n')

    assert nothing_to_do(tmp_path, "poetry") == kept
