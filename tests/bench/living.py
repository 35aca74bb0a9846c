"""Logs and one-off dynos: how late, how complete, how soon, and how much memory many of them take.

Every figure stands beside what Kubernetes' own tools need for the same thing in the same run.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import select
import shutil
import statistics
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final

import aiohttp

from bench.pairs import Measured, Seconds, at_most
from loopback import connector
from terminal import GATEWAY, Person, Workspace, workspaces

Counted = tuple[str, str, bool]

LATE_LIMIT: Final = 0.05
PROMPT_LIMIT: Final = 1.15
HISTORY_LIMIT: Final = 4.0
PROMPTS: Final = 5
_OLDER: Final = 25
_KEY: Final = 0.02
"""Seconds between two keys of somebody who waits for a prompt."""

TAILS, SESSIONS = 200, 50
RATE, SECONDS = 10_000, 10
_BASE: Final = f"http://api.localhost:{GATEWAY[1]}"
_FILES: Final = {
    "Procfile": "web: python3 -u web.py\n",
    "requirements.txt": "",
    "web.py": (
        "import http.server, os\n"
        "http.server.HTTPServer(('', int(os.environ['PORT'])),"
        " http.server.SimpleHTTPRequestHandler).serve_forever()\n"
    ),
    "steady.py": (
        "import time\n"
        "for number in range(400):\n"
        "    print('beat', number, flush=True)\n"
        "    time.sleep(0.05)\n"
    ),
    "flood.py": (
        "import sys, time\n"
        f"begun = time.monotonic()\n"
        f"for number in range({RATE * SECONDS}):\n"
        "    sys.stdout.write(f'flood {number} ' + 'x' * 80 + chr(10))\n"
        "    if number % 500 == 499:\n"
        "        sys.stdout.flush()\n"
        f"        time.sleep(max(0, begun + number / {RATE} - time.monotonic()))\n"
    ),
}


def run(person: Person, scratch: Path) -> tuple[list[Measured], list[Counted]]:
    """Measure with one app; returns lines of the table and what was counted."""
    folder = scratch / "living"
    folder.mkdir()
    with workspaces(person, folder) as make:
        app = make("living")
        for name, text in _FILES.items():
            app.write(name, text)
        app.commit()
        app.push()
        return asyncio.run(_measure(app))


async def _measure(app: Workspace) -> tuple[list[Measured], list[Counted]]:
    token = app.person.kubectl("create", "token", "developer").strip()
    headers = {"Authorization": f"Bearer {token}"}
    timeout = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        _BASE, headers=headers, timeout=timeout, connector=connector(), read_bufsize=1 << 20
    ) as http:
        measured = [await _prompts(app, http)]
        counted = [await _late(app, http), await _complete(app, http)]
        counted += await _memory(app, http)
        measured.append(await _history(app, http))
        return measured, counted


async def _post(http: aiohttp.ClientSession, path: str, **body: Any) -> Any:
    async with http.post(path, json=body) as answer:
        assert answer.status == 201, await answer.text()
        return await answer.json()


@asynccontextmanager
async def _tail(app: Workspace, http: aiohttp.ClientSession) -> AsyncIterator[aiohttp.StreamReader]:
    wish = {"tail": True, "lines": 1, "source": "app"}
    made = await _post(http, f"/apps/{app.app}/log-sessions", **wish)
    async with http.get(made["logplex_url"], headers={"Accept": "text/event-stream"}) as answer:
        assert answer.status == 200
        yield answer.content


async def _detached(app: Workspace, http: aiohttp.ClientSession, command: str) -> str:
    """Start a one-off dyno; returns the name of its pod."""
    made = await _post(http, f"/apps/{app.app}/dynos", command=command, size="basic")
    return f"{app.app}-run-{made['name'].partition('.')[2]}"


async def _late(app: Workspace, http: aiohttp.ClientSession) -> Counted:
    """Return how long after ``kubectl logs -f`` a line is seen."""
    ours: dict[int, float] = {}
    theirs: dict[int, float] = {}
    async with _tail(app, http) as tail:
        pod = await _detached(app, http, "sleep 5; python3 -u steady.py")
        await asyncio.gather(
            _beats(tail, ours), _kubectl_beats(app, pod, theirs), return_exceptions=False
        )
    late = sorted(ours[number] - theirs[number] for number in ours.keys() & theirs.keys())
    p50, p99 = statistics.median(late), late[int(len(late) * 0.99)]
    said = (
        f"{p50 * 1000:.0f} ms later than kubectl logs -f in the median, p99 {p99 * 1000:.0f} ms "
        f"({len(late)} lines), at most {LATE_LIMIT * 1000:.0f} ms"
    )
    return "live log", said, p99 <= LATE_LIMIT


async def _beats(stream: Any, seen: dict[int, float]) -> None:
    async for raw in stream:
        if found := re.search(rb"beat (\d+)", raw):
            seen[int(found[1])] = time.monotonic()
            if int(found[1]) == 399:
                return


async def _kubectl_beats(app: Workspace, pod: str, seen: dict[int, float]) -> None:
    kubectl = ("kubectl", "logs", "-f", "--pod-running-timeout=60s", pod)
    while True:
        process = await asyncio.create_subprocess_exec(
            *kubectl,
            env=app.person.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None
        await _beats(process.stdout, seen)
        await process.wait()
        if seen:
            return
        await asyncio.sleep(0.2)


async def _complete(app: Workspace, http: aiohttp.ClientSession) -> Counted:
    """Return how many lines of a flood are lost."""
    count, seen = RATE * SECONDS, set[int]()
    async with _tail(app, http) as tail:
        await _detached(app, http, "sleep 3; python3 flood.py; echo end of flood")
        begun = 0.0
        async with asyncio.timeout(180):
            async for raw in tail:
                begun = begun or (time.monotonic() if b"flood" in raw else 0.0)
                seen.update(int(each) for each in re.findall(rb"flood (\d+) ", raw))
                if b"end of flood" in raw and len(seen) > 0:
                    break
        took = time.monotonic() - begun
    lost = count - len(seen)
    said = f"{lost} of {count} lines lost, {len(seen) / took:,.0f} lines/s through the tail"
    return f"log at {RATE:,} lines/s", said, lost == 0


async def _memory(app: Workspace, http: aiohttp.ClientSession) -> list[Counted]:
    """Return what many tails and sessions cost the api."""
    before = _resident(app.person)
    async with AsyncExitStack() as stack:
        for _ in range(TAILS):
            await stack.enter_async_context(_tail(app, http))
        tails = _resident(app.person)
        for _ in range(SESSIONS):
            made = await _post(http, f"/apps/{app.app}/dynos/web.1", command="cat")
            secret = made["attach_url"].rpartition("/")[2]
            socket = await stack.enter_async_context(
                http.ws_connect(
                    "/attach",
                    protocols=("haikube.attach.v1",),
                    headers={"Haikube-Capability": secret},
                )
            )
            assert json.loads((await socket.receive()).data) == {"state": "up"}
        both = _resident(app.person)
    said = (
        f"api {before:.0f} MB; with {TAILS} tails {tails:.0f} MB; with {SESSIONS} sessions as well "
        f"{both:.0f} MB, at most 512 MB"
    )
    return [("memory", said, both <= 512)]


async def _history(app: Workspace, http: aiohttp.ClientSession) -> Measured:
    """Return the seconds to the last 1,500 of a million lines, ours and the store's own."""
    await asyncio.sleep(_OLDER)  # the lines are of an app that was there when they were printed
    uid = app.person.kubectl("get", "app", app.app, "-o", "jsonpath={.metadata.uid}")
    own = await asyncio.to_thread(_fill, app.person, uid)
    pairs: list[Seconds] = []
    for _ in range(PROMPTS):
        begun = time.monotonic()
        made = await _post(http, f"/apps/{app.app}/log-sessions", lines=1500, dyno="web.9")
        async with http.get(made["logplex_url"], headers={"Accept": "text/event-stream"}) as answer:
            text = await answer.text()
        assert text.count("of a million") == 1500
        pairs.append((time.monotonic() - begun, own))
    note = "`logs -n 1500` of an app with a million lines in the store; reference: the store alone"
    return at_most("history", pairs, HISTORY_LIMIT, note)


def _fill(person: Person, uid: str) -> float:
    """Write a million lines into the store; returns the seconds it takes to give the last."""
    script = (Path(__file__).parent / "million.py").read_text()
    api = ("kubectl", "-n", "haikube-system", "exec", "-i", "deploy/haikube-api", "--")
    said = person.run(*api, "python3", "-", uid, stdin=script)
    return float(said.stdout.split()[-1])


def _resident(person: Person) -> float:
    """Return the api's resident memory in MB."""
    pods = person.kubectl(
        *("-n", "haikube-system", "get", "pods", "-l", "app.kubernetes.io/name=haikube-api"),
        *("--field-selector=status.phase=Running", "-o", "name"),
    ).split()
    path = f"/api/v1/namespaces/haikube-system/pods/{pods[0].partition('/')[2]}:8080/proxy/metrics"
    text = person.kubectl("get", "--raw", path)
    found = re.search(r"^process_resident_memory_bytes (\S+)", text, re.MULTILINE)
    assert found is not None
    return float(found[1]) / 1e6


async def _prompts(app: Workspace, http: aiohttp.ClientSession) -> Measured:
    """Return the seconds to the first byte of a shell, ours and those of ``kubectl run -it``."""
    image = app.person.kubectl(
        "get", "stack", "debian-13", "-o", "jsonpath={.spec.runImage}"
    ).strip()
    namespace = f"{app.app}-bare"
    app.person.kubectl("create", "namespace", namespace)
    try:
        pairs: list[Seconds] = [
            (await _ours(app, http), await asyncio.to_thread(_theirs, app, image, namespace))
            for _ in range(PROMPTS + 1)
        ]
    finally:
        app.person.kubectl("delete", "namespace", namespace, "--wait=false")
    note = "attached one-off dyno of an app; reference: kubectl run -it, same image, no slug"
    return at_most("first prompt", pairs[1:], PROMPT_LIMIT, note)


async def _ours(app: Workspace, http: aiohttp.ClientSession) -> float:
    begun = time.monotonic()
    made = await _post(http, f"/apps/{app.app}/dynos", command="echo here", attach=True)
    headers = {"Haikube-Capability": made["attach_url"].rpartition("/")[2]}
    async with http.ws_connect(
        "/attach", protocols=("haikube.attach.v1",), headers=headers
    ) as socket:
        async for message in socket:
            if message.type is aiohttp.WSMsgType.BINARY and b"here" in message.data:
                return time.monotonic() - begun
    raise AssertionError("the session ended without a prompt")


def _theirs(app: Workspace, image: str, namespace: str) -> float:
    script = shutil.which("script")
    assert script is not None
    command = (
        f"kubectl run -n {namespace} bare -it --rm --quiet --restart=Never --image={image} "
        "--image-pull-policy=Never --command -- bash -c 'read; echo here'"
    )
    begun = time.monotonic()
    process = subprocess.Popen(
        (script, "-qfec", command, "/dev/null"),
        env=app.person.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    seen = b""
    while b"here" not in seen:  # a session takes input once it is joined: it shows when that is
        if not select.select([process.stdout], [], [], _KEY)[0]:
            os.write(process.stdin.fileno(), b"\n")
            continue
        data = os.read(process.stdout.fileno(), 4096)
        assert data, seen
        seen += data
    took = time.monotonic() - begun
    process.communicate(timeout=120)
    return took
