"""What a dyno of a static site makes of its environment, in bash alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from buildpacks.shell import ROOT, Shell, said

SCRIPT = ROOT / "static" / "boot" / "dynamic.sh"


def booted(tmp_path: Path, settings: dict[str, Any], code: int = 0, **env: str) -> str:
    """Return the lines for nginx, or what a dyno says that does not start."""
    static = Shell(tmp_path, "static")
    static.write({"static.json": json.dumps(settings)})
    site, run = tmp_path / "site", tmp_path / "run"
    site.mkdir()
    run.mkdir()
    static.run(f'check_settings\nwrite_for_dynos "{site}"', "settings")
    line = f'set -euo pipefail\nsource "{SCRIPT}"\nwrite_dynamic "{site}" "{run}"'
    return said("bash", "-c", line, code=code, env={"PATH": "/usr/bin:/bin", **env})


def test_a_site_without_such_settings_has_none(tmp_path: Path) -> None:
    assert booted(tmp_path, {"root": ".", "basic_auth": False}) == ""


@pytest.mark.parametrize(
    ("path", "origin", "target", "rewritten"),
    [
        ("/api/", "https://api.example.com", "https://api.example.com", '"^/api/(.*)$" "/$1"'),
        ("api", "http://${HOST}:8080/v1/", "http://a.b:8080", '"^/api/(.*)$" "/v1/$1"'),
        ("/v1.0", "${URL}", "https://[::1]", r'"^/v1\.0/(.*)$" "/x$y/$1"'.replace("$y", "")),
    ],
)
def test_a_path_that_another_server_answers(
    tmp_path: Path, path: str, origin: str, target: str, rewritten: str
) -> None:
    settings = {"proxies": {path: {"origin": origin}}}
    shown = booted(tmp_path, settings, HOST="a.b", URL="https://[::1]/x/")
    assert f'location ^~ "/{path.strip("/")}/" {{\n  set $origin "{target}";\n' in shown
    assert f"  rewrite {rewritten} break;\n" in shown
    assert "resolver " in shown


@pytest.mark.parametrize(
    "origin", ["ftp://x/", "https://${NONE}/", "https://${BAD}/", "https://${EVIL}"]
)
def test_an_origin_that_is_no_address_stops_the_dyno(tmp_path: Path, origin: str) -> None:
    settings = {"proxies": {"/api": {"origin": origin}}}
    evil = 'x"; } location / { return 200 "'
    shown = booted(tmp_path, settings, 1, BAD="a b", EVIL=evil)
    assert f"static: the proxy of static.json for /api/ leads to '{origin}', which is no" in shown
    assert evil not in shown


def test_one_host_name(tmp_path: Path) -> None:
    shown = booted(tmp_path, {"canonical_host": "www.${NAME}"}, NAME="example.com")
    assert 'if ($http_host != "www.example.com") { return 301 $canonical_scheme://www.ex' in shown


def test_a_host_name_that_is_none_stops_the_dyno(tmp_path: Path) -> None:
    shown = booted(tmp_path, {"canonical_host": "${NAME}"}, 1, NAME="a;b")
    assert "static: the canonical_host '${NAME}' of static.json is no host name" in shown


def test_a_password(tmp_path: Path) -> None:
    told = {"BASIC_AUTH_USERNAME": "ada", "BASIC_AUTH_PASSWORD": "x$y:z"}
    shown = booted(tmp_path, {"basic_auth": True}, **told)
    assert f'auth_basic_user_file "{tmp_path}/run/users";' in shown
    users = tmp_path / "run" / "users"
    assert users.read_text() == "ada:{PLAIN}x$y:z\n"
    assert users.stat().st_mode & 0o077 == 0
    assert "x$y" not in shown


@pytest.mark.parametrize("told", [{}, {"BASIC_AUTH_USERNAME": "a:b", "BASIC_AUTH_PASSWORD": "c"}])
def test_a_site_with_a_password_is_never_open(tmp_path: Path, told: dict[str, str]) -> None:
    shown = booted(tmp_path, {"basic_auth": True}, 1, **told)
    assert "set the config vars BASIC_AUTH_USERNAME and BASIC_AUTH_PASSWORD" in shown
