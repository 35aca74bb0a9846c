"""What a PHP dyno finds of its settings: config vars may name more of them, or others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from buildpacks.shell import Shell

OURS = "/app/.heroku/php/etc/php"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    made = Shell(tmp_path, "php")
    made.run("bin_folder() { echo vendor/bin; }\nwrite_php_profile", "runtime", "dyno")
    return tmp_path / "build" / ".profile.d" / "php.sh"


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({}, f"{OURS}/conf.d {OURS}"),
        ({"PHP_INI_SCAN_DIR": ""}, f"{OURS}/conf.d {OURS}"),
        ({"PHP_INI_SCAN_DIR": ":/app/ini"}, f"{OURS}/conf.d:/app/ini {OURS}"),
        ({"PHP_INI_SCAN_DIR": "/app/ini:"}, f"/app/ini:{OURS}/conf.d {OURS}"),
        ({"PHP_INI_SCAN_DIR": "/a::/b c"}, f"/a:{OURS}/conf.d:/b c {OURS}"),
        ({"PHP_INI_SCAN_DIR": "/app/ini"}, f"/app/ini {OURS}"),
        ({"PHPRC": "/app/etc", "s": "mine"}, f"{OURS}/conf.d /app/etc"),
    ],
)
def test_config_vars_name_settings_beside_ours_or_in_their_place(
    profile: Path, told: dict[str, str], found: str
) -> None:
    script = f'. {profile}\nprintf "%s %s|%s" "$PHP_INI_SCAN_DIR" "$PHPRC" "${{s-}}"'
    env = {"HOME": "/app", "PATH": "/usr/bin:/bin", **told}
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.stderr) == (f"{found}|{told.get('s', '')}", "")
