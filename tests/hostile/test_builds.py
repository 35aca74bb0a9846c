"""Builds that mean harm, or act like it: what people read, and that the platform stays well.

Each is pushed as a person pushes. The app's own hook ``bin/post_compile`` is a stranger's program
as good as any buildpack.
"""

from __future__ import annotations

import json

import pytest

from hostile.compiles import hostile
from terminal import Make, Workspace, eventually

FILL = "fallocate -l 9G big && sleep 240"
NOISE = """
yes 'noise noise noise noise noise noise noise noise' | head -c 100000000
head -c 1000000 /dev/urandom
echo 'the last words'
exit 3
"""
DEAF = "trap '' TERM\necho 'I do not listen'\nwhile :; do sleep 1; done"
BOMB = "trap '' TERM\nbomb() { while :; do bomb & done; }\nbomb"
OUTSIDE = "touch /usr/bin/evil /haikube/buildpacks/evil || exit 1"


def limit(app: Workspace, seconds: int) -> None:
    patch = json.dumps({"spec": {"buildTimeoutSeconds": seconds}})
    app.person.kubectl("patch", "app", app.app, "--type=merge", "-p", patch)


def failure(app: Workspace) -> str:
    """Return why the only build of the app failed."""
    [made] = app.person.items("builds", app.app)
    return str(made["status"]["failure"]["reason"])


@pytest.mark.parametrize(
    ("script", "seconds", "reason", "words"),
    [
        (FILL, 300, "DiskFull", "HAIKUBE_BUILD_DISK"),
        (NOISE, 300, "CompileFailed", "the last words"),
        (DEAF, 20, "BuildTimedOut", "longer than 20 s"),
        (OUTSIDE, 300, "CompileFailed", "Read-only file system"),
        (BOMB, 30, "TooManyProcesses", "started too many processes"),
    ],
    ids=["fills the disk", "never stops talking", "does not listen", "writes outside", "forks"],
)
def test_a_hostile_compile_ends_with_its_reason(
    workspace: Make, script: str, seconds: int, reason: str, words: str
) -> None:
    app = workspace("hostile")
    limit(app, seconds)
    hostile(app, script)

    said = app.push(check=False)

    assert "Push rejected" in said, said[-2000:]
    assert words in said, said[-2000:]
    assert failure(app) == reason
    assert said.count("-----> Building on the") == 1, "it was tried once more"
    assert "canceled" not in said


def test_a_compile_that_does_not_listen_is_canceled_all_the_same(workspace: Make) -> None:
    app = workspace("deaf")
    hostile(app, DEAF)
    push = app.begin_push()
    eventually(lambda: app.build_says("I do not listen"), "the compile")
    [made] = app.person.items("builds", app.app)
    app.person.haikube("builds", "cancel", made["metadata"]["name"], "--app", app.app)
    said, _ = push.communicate(timeout=90)

    assert push.returncode != 0
    assert "canceled" in said
    [made] = app.person.items("builds", app.app)
    assert made["status"]["result"] == "Canceled"
    eventually(lambda: not app.person.items("pods", app.app), "its pod is gone", 60)
