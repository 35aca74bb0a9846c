"""Config vars on a real cluster: what arrives wherever an app runs, and what stops nothing."""

from __future__ import annotations

import base64
import hashlib
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
OF_THE_BUILD = {"TMPDIR", "BASH_ENV"}
"""What stays the platform's own in a build."""

DIGEST = """
import hashlib, os, sys
said = "\\0".join(f"{name}={os.environ.get(name)}" for name in sys.argv[2:])
print(sys.argv[1], hashlib.sha256(said.encode()).hexdigest(), flush=True)
"""
BUILT = [name for name in CONFIG if name not in OF_THE_BUILD]


def seen(app: Workspace, *names: str) -> dict[str, Any]:
    """Return config vars as the app has them; empty while it does not answer."""
    env = told(app).get("env", {})
    return {name: env.get(name) for name in names} if env else {}


def digest(*names: str) -> str:
    """Return what the script prints of these config vars where it finds them as they were set."""
    return hashlib.sha256(
        "\0".join(f"{name}={CONFIG[name]}" for name in names).encode()
    ).hexdigest()


def run(app: Workspace, *command: str) -> str:
    """Return what a one-off dyno printed; it is made as kubectl makes one."""
    name = f"{app.app}-once"
    dyno = {
        "apiVersion": "haikube.dev/v1alpha1",
        "kind": "Dyno",
        "metadata": {"name": name},
        "spec": {"appRef": {"name": app.app}, "command": command},
    }
    app.person.kubectl("create", "-f", "-", stdin=json.dumps(dyno))
    app.person.kubectl("wait", "--for=condition=Succeeded", f"dyno/{name}", "--timeout=120s")
    made = app.person.get("dynos.haikube.dev", name) or {}
    return app.person.kubectl("logs", made["status"]["podName"])


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
    app.write("digest.py", DIGEST)
    app.write("bin/pre_compile", f"python3 digest.py build {' '.join(BUILT)}\n")
    release = f"release: python digest.py release {' '.join(CONFIG)}"
    app.write("Procfile", f"web: python app.py\n{release}\n")
    app.write(".profile.d/own.sh", ": nothing\n")
    app.commit("first")
    put(app, {name: encoded(value.encode()) for name, value in CONFIG.items()})

    said = app.push()

    assert f"build {digest(*BUILT)}" in said
    assert f"release {digest(*CONFIG)}" in said
    assert run(app, "python", "digest.py", "once", *CONFIG) == f"once {digest(*CONFIG)}\n"
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
