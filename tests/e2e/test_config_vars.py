"""Config vars on a real cluster: what arrives in a build and a dyno, and what stops nothing."""

from __future__ import annotations

import base64
import json
from typing import Any

import sample_apps as apps
from e2e.test_dyno import TELL, told
from terminal import Make, Person, Workspace, eventually

CONFIG = {
    "file": "of mine",
    "name": "a\nb\n\n",
    "value": " both ends ",
    "EMPTY": "",
    "UID": "1000",
    "POETRY_VERSION": "1.8.3",
    "TAR_OPTIONS": "--nonsense",
    "http_proxy": "http://127.0.0.1:9",
    "TMPDIR": "/app/tmp",
    "BASH_ENV": "/app/env.sh",
    "NODE_ENV": "",
    "QUOTES": "'\"\\$HOME `id` $(id)",
    "UNICODE": "žluťoučký 🐎",
}
HOOK = 'printf "in the build: %s %s %s\\n" "$file" "$UID" "$TAR_OPTIONS"\n'


def seen(app: Workspace, *names: str) -> dict[str, Any]:
    """Return config vars as the app has them; empty while it does not answer."""
    env = told(app).get("env", {})
    return {name: env.get(name) for name in names} if env else {}


def condition(person: Person, app: str, kind: str) -> tuple[str, str]:
    """Return reason and message of a condition of an App."""
    found = person.get("app", app) or {}
    for each in found.get("status", {}).get("conditions", ()):
        if each["type"] == kind:
            return each["reason"], each["message"]
    return "", ""


def put(app: Workspace, data: dict[str, str | None]) -> None:
    """Change the Secret as kubectl does: no api is asked."""
    words = ("patch", "secret", f"{app.app}-config", "--patch-file=/dev/stdin")
    app.person.kubectl(*words, stdin=json.dumps({"data": data}))


def encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


def test_they_arrive_as_they_were_set_and_bad_ones_stop_nothing(
    workspace: Make, person: Person
) -> None:
    app = workspace("config")
    apps.plain(app.folder)
    app.write("app.py", TELL)
    app.write("bin/pre_compile", HOOK)
    app.write(".profile.d/own.sh", ": nothing\n")
    app.commit("first")
    put(app, {name: encoded(value.encode()) for name, value in CONFIG.items()})

    said = app.push()

    assert "in the build: of mine 1000 --nonsense" in said
    assert eventually(lambda: seen(app, *CONFIG), "the app tells") == CONFIG

    put(app, {"BIG": encoded(b"x" * 140_000)})
    eventually(
        lambda: "BIG has 140,005" in condition(person, app.app, "ConfigReady")[1], "the size"
    )
    put(app, {"BIG": encoded(b"\xff\xfe")})
    eventually(lambda: "given: BIG;" in condition(person, app.app, "ConfigReady")[1], "no text")
    assert seen(app, "file") == {"file": "of mine"}
    releases = len(person.items("releases", app.app))

    put(app, {"BIG": encoded(b"small")})
    eventually(lambda: seen(app, "BIG") == {"BIG": "small"}, "the mended value")
    assert condition(person, app.app, "ConfigReady")[0] == "ConfigFound"
    assert len(person.items("releases", app.app)) == releases + 1
