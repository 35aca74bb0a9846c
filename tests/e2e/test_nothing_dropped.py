"""No request is dropped when dynos are replaced, whatever the Procfile looks like."""

from __future__ import annotations

import json
import time

import pytest

from load import MARK, SERVER, under_load
from terminal import Make, Person, Workspace, eventually

pytestmark = pytest.mark.alone

SHAPES = {
    "a start script": "bin/web",
    "a pipe": "python app.py 2>&1 | cat",
    "one after the other": "python app.py; echo over",
    "in the background": "python app.py & wait",
    "bare": "python app.py",
}


def prepare(app: Workspace, line: str) -> None:
    app.write("requirements.txt", "")
    app.write("app.py", SERVER)
    app.write("bin/web", "#!/usr/bin/env bash\necho starting\npython app.py\n")
    (app.folder / "bin/web").chmod(0o755)
    app.write("Procfile", f"web: {line}\n")


def settled(app: Workspace) -> bool:
    """Tell whether no dyno is on its way out."""
    pods = app.person.items("pods", app.app)
    return not any(pod["metadata"].get("deletionTimestamp") for pod in pods)


def test_deploys_of_every_shape_a_restart_and_a_drain(workspace: Make, person: Person) -> None:
    app = workspace("kept")
    first, *later = SHAPES.items()
    prepare(app, first[1])
    app.commit("first")
    app.push()
    eventually(lambda: app.answers(MARK), "the first answer")

    with under_load(f"{app.app}.localhost") as load:
        for name, line in [*later, first]:
            prepare(app, line)
            app.commit(name)
            app.push()
            assert load.dropped == {}, f"{name}, {load.count} requests, {load.when}"
        eventually(lambda: settled(app), "the last deploy")
        assert load.dropped == {}, f"deploys, {load.count} requests, {load.when}"

        hand_over(app, person)
        eventually(lambda: settled(app), "the drain of its node")
        assert load.dropped == {}, f"a dyno that is alone, {load.when}"

        app.person.kubectl("scale", f"formation/{app.app}-web", "--replicas=2")
        ready = ("wait", "--for=condition=Ready", f"formation/{app.app}-web", "--timeout=180s")
        person.kubectl(*ready)
        restart(app, person)
        assert load.dropped == {}, f"restart, {load.count} requests, {load.when}"

        person.kubectl(*ready)
        drain(app, person)
        eventually(lambda: settled(app), "the drain")

    assert load.dropped == {}, f"{load.count} requests, {load.when}"
    assert load.count > 500


def hand_over(app: Workspace, person: Person) -> None:
    """Leave the node of the only web dyno, as `kubectl drain` does, and let it be used again.

    There is one node: until then the replacement has no place, and the drain has to wait.
    """
    eventually(lambda: phases(app) == ["Running"], "the last deploy")
    [pod] = [pod for pod in app.person.items("pods", app.app) if is_web(pod)]
    old, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
    person.kubectl("cordon", node)
    try:
        assert not evict(app, old), "it waits for a replacement that is not there yet"
        eventually(lambda: "Pending" in phases(app), "its replacement")
        assert not evict(app, old), "it waits for a replacement that has no place"
    finally:
        person.kubectl("uncordon", node)
    eventually(lambda: evict(app, old), "the end of the drain")


def restart(app: Workspace, person: Person) -> None:
    """Restart all dynos, as `heroku restart` does."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    before = names(app)
    person.kubectl("annotate", f"formation/{app.app}-web", f"haikube.dev/restarted-at={now}")
    eventually(lambda: not before & names(app) and names(app), "the restart")
    eventually(lambda: settled(app), "the end of the restart")


def drain(app: Workspace, person: Person) -> None:
    """Leave the node of two web dynos, as `kubectl drain` does, and let it be used again.

    Until then the replacement of the first has no place, however slow we are to ask for the second.
    """
    first, second = sorted(names(app))
    [node] = {pod["spec"]["nodeName"] for pod in app.person.items("pods", app.app) if is_web(pod)}
    person.kubectl("cordon", node)
    try:
        eventually(lambda: evict(app, first), "the first one's leave")
        assert not evict(app, second), "it waits for the replacement of the first"
    finally:
        person.kubectl("uncordon", node)
    eventually(lambda: evict(app, second), "the end of the drain")


def names(app: Workspace) -> set[str]:
    return {pod["metadata"]["name"] for pod in app.person.items("pods", app.app) if is_web(pod)}


def phases(app: Workspace) -> list[str]:
    pods = app.person.items("pods", app.app)
    return [pod["status"]["phase"] for pod in pods if is_web(pod)]


def is_web(pod: dict[str, object]) -> bool:
    return "-web-" in json.dumps(pod["metadata"])


def evict(app: Workspace, pod: str) -> bool:
    namespace = "default"
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": pod, "namespace": namespace},
    }
    path = f"/api/v1/namespaces/{namespace}/pods/{pod}/eviction"
    said = app.person.kubectl(
        "create", "--raw", path, "-f", "-", check=False, stdin=json.dumps(body)
    )
    return "disruption budget" not in said
