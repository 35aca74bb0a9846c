"""What a PHP dyno finds of its settings: config vars may name more of them, or others."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from buildpacks.shell import ROOT, Shell

OURS = "/app/.heroku/php/etc/php"


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    made = Shell(tmp_path, "php")
    (tmp_path / "packs/php/profile").symlink_to(ROOT / "php/profile")
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


@pytest.mark.parametrize(("memory", "limits"), [("1024", ["128M", "1024M"]), ("", [])])
def test_php_on_the_command_line_may_use_the_memory_of_the_dyno(
    tmp_path: Path, memory: str, limits: list[str]
) -> None:
    home = tmp_path / "home"
    folder = home / ".heroku" / "php" / "etc" / "php"
    folder.mkdir(parents=True)
    (folder / "php.ini").write_text("memory_limit = 128M")
    script = ROOT / "php" / "profile" / "memory.sh"
    env = {"HOME": str(home), "PATH": "/usr/bin:/bin", "MEMORY_AVAILABLE": memory}
    for _ in range(2):  # one-off commands inside a dyno read it again
        subprocess.run(["bash", "-euo", "pipefail", script], env=env, check=True)
    found = folder / "php-cli.ini"
    lines = found.read_text().split("\n") if found.exists() else []
    assert [line.removeprefix("memory_limit = ") for line in lines if line] == limits


def test_workers_are_counted_by_the_limit_of_a_request(tmp_path: Path) -> None:
    (tmp_path / "php.ini").touch()
    (tmp_path / "php").write_text('#!/bin/sh\n[ "$1" = -c ] && echo 64M || echo 512M\n')
    (tmp_path / "php").chmod(0o755)
    line = f'source "{ROOT}/php/boot/common.sh"\nDOCUMENT_ROOT=/nowhere\nmemory_limit'
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    for told, found in ((str(tmp_path), "64M\n"), (f"{tmp_path}/php.ini", "512M\n")):
        done = subprocess.check_output(["bash", "-c", line], env={**env, "PHPRC": told}, text=True)
        assert done == found


def test_a_configuration_may_be_a_script_that_prints_it(tmp_path: Path) -> None:
    (tmp_path / "php").write_text('#!/bin/sh\necho "$DYNO made $1"\n[ -z "$BROKEN" ]\n')
    (tmp_path / "php").chmod(0o755)
    (tmp_path / "app.conf.php").write_text("<?php")
    (tmp_path / "plain.conf").write_text("as it is")
    script = (
        f'set -euo pipefail\nHOME={tmp_path} SERVER=nginx\nsource "{ROOT}/php/boot/common.sh"\n'
        "parse_options -C app.conf.php -F plain.conf\n"
        'echo "$SERVER_INCLUDE $FPM_INCLUDE $HEROKU_APP_DIR $DOCUMENT_ROOT"'
    )

    def run(**env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", script],
            cwd=tmp_path,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin", "DYNO": "web.1", "PORT": "1", **env},
            capture_output=True,
            text=True,
            check=False,
        )

    done = run()
    place = tmp_path.resolve()
    assert done.stdout == f"{place}/app.conf {place}/plain.conf {tmp_path} {place}\n"
    assert (tmp_path / "app.conf").read_text() == f"web.1 made {place}/app.conf.php\n"
    broken = run(BROKEN="yes")
    assert broken.returncode == 1
    assert "the script 'app.conf.php' ended with an error (see above)" in broken.stderr
