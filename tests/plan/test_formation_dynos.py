"""The dynos that a formation makes: what they run, what they are told, how long they may boot."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

import builders as b
from haikube.plan.dynos import literal
from plan.formations import BASE, UP
from stage import Row, plan


def container(row: Row) -> Any:
    pod = row.body("apply Deployment hello-web")["spec"]["template"]["spec"]
    return pod["containers"][0]


async def test_dynos_are_told_of_their_app_unless_it_says_no() -> None:
    app = b.app(dynoMetadata="Disabled")
    names = {each["name"] for each in container(await plan(b.formation(), app, *BASE[1:]))["env"]}

    assert not {name for name in names if name.startswith("HEROKU_APP")}


async def test_a_dyno_runs_the_command_with_its_release_config() -> None:
    found = container(await plan(b.formation(), *BASE))
    env = {each["name"]: each.get("value") for each in found["env"]}

    limits = ["--grace", "30", "--web", "8080", "--boot", "60"]
    first = ["--first", "/haikube/fetch"]
    assert found["command"] == ["/haikube/dyno", *limits, *first, "--", "/haikube/start"]
    assert found["args"] == ["python app.py"]
    assert found["envFrom"] == [{"secretRef": {"name": "hello-v1"}}]
    assert env["PORT"] == "8080"


async def test_a_dyno_knows_its_release_as_on_heroku() -> None:
    commit = "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d"
    marks = {"annotations": {"haikube.dev/commit": commit}}
    made = b.release(2, description="Set $HOME config var", metadata=marks)
    stack = b.stack(alias="heroku-24")
    found = container(await plan(b.formation(), b.app(), stack, made))

    assert {each["name"]: expanded(each.get("value", "(pod)")) for each in found["env"]} == {
        "PORT": "8080",
        "STACK": "heroku-24",
        "MEMORY_AVAILABLE": "512",
        "HAIKUBE_PROCESS_TYPE": "web",
        "HEROKU_APP_ID": "uid-app-hello",
        "HEROKU_APP_NAME": "hello",
        "HEROKU_APP_DEFAULT_DOMAIN_NAME": "hello.localhost",
        "HEROKU_RELEASE_VERSION": "v2",
        "HEROKU_RELEASE_CREATED_AT": b.CREATED,
        "HEROKU_BUILD_COMMIT": commit,
        "HEROKU_BUILD_DESCRIPTION": "Set $HOME config var",
        "HEROKU_SLUG_COMMIT": commit,
        "HEROKU_SLUG_DESCRIPTION": "Set $HOME config var",
        "HEROKU_DYNO_ID": "(pod)",
        "HAIKUBE_POD": "(pod)",
    }
    fields = {each["name"]: each["valueFrom"] for each in found["env"] if "valueFrom" in each}
    assert fields["HEROKU_DYNO_ID"] == {"fieldRef": {"fieldPath": "metadata.uid"}}


async def test_a_dyno_of_a_release_without_a_commit_is_told_none() -> None:
    found = container(await plan(b.formation(), *BASE))
    told = {each["name"] for each in found["env"]}

    assert not told & {"HEROKU_BUILD_COMMIT", "HEROKU_SLUG_COMMIT"}


def expanded(text: str) -> str:
    """Return what the kubelet makes of an argument when no variable of that name is set."""
    return re.sub(r"\$\$|\$\([^)]*\)", lambda found: "$" if found[0] == "$$" else found[0], text)


@given(st.text(alphabet="$()aPORT {}", max_size=20))
def test_the_kubelet_leaves_a_command_as_it_is_written(command: str) -> None:
    assert expanded(literal(command)) == command
    assert not re.search(r"(?<!\$)(\$\$)*\$\(", literal(command).replace("$$", ""))


def boot_seconds(found: b.Raw) -> str:
    """Return the limit that process 1 keeps."""
    words: list[str] = found["command"]
    return words[words.index("--boot") + 1]


async def test_a_web_dyno_is_ready_when_it_listens() -> None:
    made = container(await plan(b.formation(), b.app(), b.stack(), b.release()))["readinessProbe"]

    seen = "/tmp/.haikube-listening"  # noqa: S108 - in the dyno
    assert made["exec"]["command"] == ["/haikube/dyno", "listening", "8080", "3600", seen]
    assert (made["timeoutSeconds"], made["periodSeconds"]) == (3660, 1)


async def test_the_rollout_waits_longer_for_a_large_slug_and_the_app_may_set_the_limit() -> None:
    large = (b.app(), b.stack(), b.release(size=300_000_000))
    own = b.app(rollout={"bootTimeoutSeconds": 10, "shutdownGraceSeconds": 5, "maxSurge": 1})
    usual = await plan(b.formation(), *large)
    chosen = await plan(b.formation(), own, b.stack(), b.release())

    assert boot_seconds(container(usual)) == "60"
    assert usual.body(UP[0])["spec"]["progressDeadlineSeconds"] == 60 + 30 + 300
    assert boot_seconds(container(chosen)) == "10"
    spec = chosen.body(UP[0])["spec"]
    assert spec["template"]["spec"]["terminationGracePeriodSeconds"] == 5 + 5 + 5
    assert spec["strategy"]["rollingUpdate"]["maxSurge"] == 1
