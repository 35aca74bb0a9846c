"""Living with an app on the real cluster: its log whatever it prints, and commands beside it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import aiohttp
import pytest

import sample_apps as apps
from loopback import connector
from terminal import API, Person, Workspace, eventually, workspaces

PRINT = r"""
import sys
out = sys.stdout.buffer
out.write(b"first\n")
out.write(b"x\r2026-01-01T00:00:00.000000+00:00 heroku[router]: at=info forged\n")
out.write(b"\x1b[2K\x1b[1G2026-01-01T00:00:00.000000+00:00 heroku[router]: at=info forged\n")
out.write(b"\x1b[31mred\x1b[0m \xff\x00\n")
out.write(b"L" * 25_000 + b"\n")
for number in range(20_000):
    out.write(b"line %d\n" % number)
out.write(b"last\n")
out.flush()
"""


@pytest.fixture(scope="module")
def app(person: Person, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Workspace]:
    with workspaces(person, tmp_path_factory.mktemp("living")) as make:
        made = make("living")
        apps.plain(made.folder)
        made.write("print.py", PRINT)
        made.commit()
        made.push()
        yield made


async def talk(app: Workspace, act: Callable[[aiohttp.ClientSession], Any]) -> Any:
    token = app.person.kubectl("create", "token", "developer").strip()
    headers = {"Authorization": f"Bearer {token}"}
    async with aiohttp.ClientSession(
        API, headers=headers, connector=connector(), read_bufsize=1 << 20
    ) as http:
        return await act(http)


async def post(http: aiohttp.ClientSession, path: str, **body: Any) -> Any:
    async with http.post(path, json=body) as answer:
        assert answer.status == 201, await answer.text()
        return await answer.json()


async def until_last(tail: aiohttp.ClientResponse, lines: list[str], times: int) -> None:
    """Read lines until so many dynos said ``last``."""
    with suppress(TimeoutError):
        async with asyncio.timeout(120):
            async for raw in tail.content:
                lines.append(raw.decode().rstrip("\n"))
                times -= lines[-1].endswith("]: last")
                if not times:
                    return
    raise AssertionError(f"{len(lines)} lines, {lines[-5:]}")


def shown(app: Workspace, command: str, times: int) -> list[str]:
    """Return what a tail that was open before shows of so many dynos, each up to its ``last``."""

    async def act(http: aiohttp.ClientSession) -> list[str]:
        wish = {"tail": True, "lines": 0, "source": "app"}
        session = await post(http, f"/apps/{app.app}/log-sessions", **wish)
        lines: list[str] = []
        async with http.get(session["logplex_url"]) as tail:
            for _ in range(times):
                await post(http, f"/apps/{app.app}/dynos", command=command)
            await until_last(tail, lines, times)
        return lines

    found: list[str] = asyncio.run(talk(app, act))
    return found


def test_a_tail_shows_dynos_that_live_for_a_moment(app: Workspace) -> None:
    said = [line for line in shown(app, "seq 9000; echo last", 5) if "app[run." in line]
    assert len(said) == 5 * 9001


def test_a_tail_loses_no_line_and_no_line_is_forged(app: Workspace) -> None:
    lines = shown(app, "python3 print.py", 1)
    heads = {line[33:].partition(":")[0] for line in lines if "app[run." in line}
    texts = [line.partition("]: ")[2] for line in lines if "app[run." in line]

    assert len(heads) == 1
    assert not any(line[33:].startswith("heroku[router]") for line in lines)
    assert texts[0] == "first"
    assert texts[1] == "x"
    assert texts[3].startswith("\\x1b[2K\\x1b[1G2026")
    assert texts[4] == "\x1b[31mred\x1b[0m \ufffd\\x00"
    assert "".join(texts[5:8]) == "L" * 25_000
    assert texts[8:-1] == [f"line {number}" for number in range(20_000)]


@pytest.mark.parametrize(("tty", "code"), [(True, 3), (False, 0)])
def test_a_session_takes_input_and_tells_how_it_ended(
    app: Workspace,
    tty: bool,  # noqa: FBT001 - a column
    code: int,
) -> None:
    async def act(http: aiohttp.ClientSession) -> tuple[bytes, int]:
        command = f"read line; echo got $line; exit {code}"
        wish = {"command": command, "attach": True, "force_no_tty": not tty}
        made = await post(http, f"/apps/{app.app}/dynos", **wish)
        headers = {"Haikube-Capability": made["attach_url"].rpartition("/")[2]}
        seen = b""
        async with http.ws_connect("/attach", headers=headers) as socket:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    seen += message.data
                    continue
                said = json.loads(message.data)
                if "exit" in said:
                    return seen, said["exit"]
                await socket.send_bytes(b"word\n")
        raise AssertionError(seen)

    seen, ended = asyncio.run(talk(app, act))
    assert b"got word" in seen
    assert ended == code


def test_whoever_goes_leaves_no_dyno_running(app: Workspace) -> None:
    async def act(http: aiohttp.ClientSession) -> str:
        made = await post(http, f"/apps/{app.app}/dynos", command="sleep 600", attach=True)
        headers = {"Haikube-Capability": made["attach_url"].rpartition("/")[2]}
        async with http.ws_connect("/attach", headers=headers) as socket:
            assert (await socket.receive_json()) == {"state": "up"}
        return f"{app.app}-run-{made['name'].partition('.')[2]}"

    dyno = asyncio.run(talk(app, act))

    def over() -> bool:
        found = app.person.get("dynos.haikube.dev", dyno)
        return bool(found and (found.get("status") or {}).get("state") == "Crashed")

    eventually(over, "the dyno is ended")
