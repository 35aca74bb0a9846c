"""Lock files made by the real package managers at test time, never by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "haikube" / "tests"


def _python_tool(package: str) -> Path:
    """Return the folder of programs of a package, installed once."""
    venv = CACHE / package.replace("==", "-")
    if not (venv / ".done").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", venv], check=True)
        subprocess.run([venv / "bin" / "pip", "install", "-q", package], check=True)
        (venv / ".done").touch()
    return venv / "bin"


def _run(app: Path, *command: str | Path, **env: str) -> None:
    done = subprocess.run(
        command, cwd=app, env={**os.environ, **env}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def package_index() -> str:
    """Return the index that pip asks by default, as its mirrors serve it.

    Poetry asks its default index by an interface of its own that a mirror need not have.
    """
    script = "from pip._internal.models.index import PyPI; print(PyPI.simple_url + '/')"
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def uv_lock(app: Path) -> None:
    _run(app, _python_tool("uv==0.13.9") / "uv", "lock", "--python", sys.executable)


def poetry_lock(app: Path) -> None:
    _run(app, _python_tool("poetry==2.4.1") / "poetry", "lock", "--no-interaction")


def pipenv_lock(app: Path) -> None:
    pipenv = _python_tool("pipenv==2026.7.1") / "pipenv"
    _run(app, pipenv, "lock", PIPENV_VENV_IN_PROJECT="0", WORKON_HOME=str(CACHE / "envs"))


def npm_lock(app: Path) -> None:
    _run(app, "npm", "install", "--package-lock-only", "--ignore-scripts")


def yarn_lock(app: Path, version: str = "yarn@1.22.22") -> None:
    _run(app, "npx", "--yes", version, "install", "--ignore-scripts", "--non-interactive")
    _run(app, "rm", "-rf", "node_modules")


def modern_yarn_lock(app: Path, version: str = "4") -> None:
    ca_file = os.environ.get("NODE_EXTRA_CA_CERTS", "")
    name = "YARN_CA_FILE_PATH" if version[0] in "23" else "YARN_HTTPS_CA_FILE_PATH"
    trust = {name: ca_file} if ca_file else {}
    command = ("npx", "--yes", "--package", f"@yarnpkg/cli-dist@{version}", "yarn", "install")
    _run(app, *command, YARN_ENABLE_IMMUTABLE_INSTALLS="false", **trust)
    _run(app, "rm", "-rf", "node_modules", ".pnp.cjs", ".pnp.loader.mjs", ".yarn")


def pnpm_lock(app: Path, version: str = "10") -> None:
    """Lock with a version that the Node.js of this machine runs: 10 and 11 write the same file."""
    runs = "10" if version.startswith("11") else version
    ours = {
        "npm_config_manage_package_manager_versions": "false",
        "npm_config_package_manager_strict": "false",
    }
    command = ("npx", "--yes", f"pnpm@{runs}", "install", "--lockfile-only", "--ignore-scripts")
    _run(app, *command, **ours)
