"""Reading through the api: a list of 1,000 Apps beside the same list from Kubernetes, and dynos.

The operator stands still meanwhile, so that the Apps stay what was made: what is measured is the
api alone. Both lists are read by the same client with the same token, by turns.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Awaitable, Callable

import aiohttp

from bench.pairs import Measured
from haikube.cluster.http import HttpCluster
from haikube.model.resources import APPS as RESOURCE
from terminal import GATEWAY, KUBECONFIG, Person, eventually

APPS = 1000
PAIRS = 9
LOOKS = 200
DYNOS_MS = 30.0
_OPERATOR = ("-n", "haikube-system", "deployment/haikube-operator")


def run(person: Person) -> tuple[list[Measured], list[tuple[str, str, bool]]]:
    """Return the line of the list, and how long a look at an app's dynos takes."""
    namespace = f"bench-{secrets.token_hex(3)}"
    person.kubectl("create", "namespace", namespace)
    person.kubectl("scale", "--replicas=0", *_OPERATOR)
    try:
        token = _reader(person, namespace)
        _populate(person, namespace)
        return asyncio.run(_measure(token, namespace))
    finally:
        person.kubectl("delete", "namespace", namespace, "--wait=false")
        person.kubectl("scale", "--replicas=1", *_OPERATOR)


async def _measure(
    token: str, namespace: str
) -> tuple[list[Measured], list[tuple[str, str, bool]]]:
    headers = {"Authorization": f"Bearer {token}", "Host": f"api.localhost:{GATEWAY[1]}"}
    url = f"http://{GATEWAY[0]}:{GATEWAY[1]}"
    async with (
        aiohttp.ClientSession(url, headers=headers) as session,
        HttpCluster.from_environment(KUBECONFIG) as administrator,
    ):
        reader = administrator.with_token(token)
        pairs = []
        for _ in range(PAIRS):
            ours = await _seconds(lambda: _get(session, "/apps", APPS))
            reference = await _seconds(lambda: reader.list(RESOURCE, namespace))
            pairs.append((ours, reference))
        looks = sorted([await _seconds(lambda: _get(session, _dynos(), 0)) for _ in range(LOOKS)])
    p95 = looks[int(LOOKS * 0.95)] * 1000
    note = f"{PAIRS} pairs; 1,000 Apps; reference: the same list from Kubernetes"
    line = Measured("GET /apps", tuple(pairs), "at most", 1.5, note)
    told = f"p95 {p95:.1f} ms of {LOOKS}, seen by the client; at most {DYNOS_MS:.0f}"
    return [line], [("GET /apps/A/dynos", told, p95 <= DYNOS_MS)]


def _dynos() -> str:
    return f"/apps/bench-{secrets.randbelow(APPS):04d}/dynos"


async def _seconds(act: Callable[[], Awaitable[object]]) -> float:
    since = time.perf_counter()
    await act()
    return time.perf_counter() - since


async def _get(session: aiohttp.ClientSession, path: str, least: int) -> None:
    async with session.get(path) as answer:
        found = await answer.json()
        assert answer.status == 200, found
        assert len(found) >= least


def _reader(person: Person, namespace: str) -> str:
    """Return the token of somebody who looks at these Apps alone."""
    where = ("-n", namespace)
    person.kubectl("create", "serviceaccount", "reader", *where)
    person.kubectl(
        *("create", "rolebinding", "reader", "--clusterrole=haikube-viewer", *where),
        f"--serviceaccount={namespace}:reader",
    )
    return person.kubectl("create", "token", "reader", *where).strip()


def _populate(person: Person, namespace: str) -> None:
    items = [
        {
            "apiVersion": RESOURCE.api_version,
            "kind": RESOURCE.kind,
            "metadata": {"name": f"bench-{number:04d}", "namespace": namespace},
            "spec": {},
        }
        for number in range(APPS)
    ]
    listed = {"apiVersion": "v1", "kind": "List", "items": items}
    path = person.home / "apps.json"
    path.write_text(json.dumps(listed))
    person.kubectl("create", "-f", str(path))
    eventually(lambda: _made(person, namespace) >= APPS, "all Apps")


def _made(person: Person, namespace: str) -> int:
    return len(person.kubectl("get", "apps.haikube.dev", "-n", namespace, "-o", "name").split())
