"""Webhooks: who is told what, signed, again after a failure, and never inside."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from haikube.api.webhooks.deliver import Caller, Forbidden, require_public
from haikube.settings import Settings
from rest import Rest
from world import NAMESPACE, TOKEN, World, running

OPEN = Settings(public_port=8080, webhook_networks=frozenset({"127.0.0.0/8"}))


@dataclass
class Receiver:
    """Somebody's server: remembers calls, and answers as it is told."""

    fails: int = 0
    """How often each event is refused at first."""
    seen: Counter[str] = field(default_factory=Counter)
    calls: asyncio.Queue[tuple[Any, Any, bytes]] = field(default_factory=asyncio.Queue)
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        event = json.loads(body)
        self.calls.put_nowait((dict(request.headers), event, body))
        self.seen[event["id"]] += 1
        return web.Response(status=500 if self.seen[event["id"]] <= self.fails else 200)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    found = Receiver()
    app = web.Application()
    app.router.add_post("/hook", found.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    found.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    yield found
    await runner.cleanup()


@pytest.fixture
async def kept() -> AsyncIterator[World]:
    async with running(OPEN, ledger=True) as platform:
        async with aiohttp.ClientSession(
            platform.url, headers={"Authorization": f"Bearer {TOKEN}"}
        ) as session:
            await Rest(session).post("/apps", {"name": "hello", "team": NAMESPACE})
        platform.app.state.context.herald._caller = Caller(OPEN, patience=0.01)
        yield platform


async def hook(ada: Rest, receiver: Receiver, level: str = "sync", **more: Any) -> Any:
    wish = {"include": ["api:release"], "level": level, "url": receiver.url, **more}
    return await ada("POST", "/apps/hello/webhooks", wish, 201)


async def heard(receiver: Receiver) -> tuple[Any, Any, bytes]:
    async with asyncio.timeout(60):
        return await receiver.calls.get()


async def settled(ada: Rest, status: str) -> Any:
    async with asyncio.timeout(60):
        while True:
            found = await ada.get("/apps/hello/webhook-deliveries")
            if found and all(each["status"] == status for each in found):
                return found
            await asyncio.sleep(0)


async def test_a_release_is_told_with_a_signature(ada: Rest, receiver: Receiver) -> None:
    made = await hook(ada, receiver, secret="s3cret", authorization="Bearer x")
    assert made.headers["Heroku-Webhook-Secret"] == "s3cret"
    assert "secret" not in made.body
    await ada.patch("/apps/hello/config-vars", {"A": "1"})
    headers, event, body = await heard(receiver)
    signed = base64.b64encode(hmac.digest(b"s3cret", body, hashlib.sha256)).decode()
    assert headers["Heroku-Webhook-Hmac-SHA256"] == signed
    assert headers["Authorization"] == "Bearer x"
    assert (event["resource"], event["action"]) == ("release", "create")
    assert event["data"]["app"]["name"] == "hello"
    delivery = (await settled(ada, "succeeded"))[0]
    assert (delivery["num_attempts"], delivery["last_attempt"]["code"]) == (1, 200)
    assert (await ada.get("/apps/hello/webhook-events"))[0]["id"] == event["id"]


async def test_a_failure_is_tried_again_where_the_hook_asks(ada: Rest, receiver: Receiver) -> None:
    receiver.fails = 2
    await hook(ada, receiver)
    await ada.patch("/apps/hello/config-vars", {"A": "1"})
    found = await settled(ada, "succeeded")
    assert {each["num_attempts"] for each in found} == set(receiver.seen.values()) == {3}


async def test_a_notification_is_made_once(ada: Rest, receiver: Receiver) -> None:
    receiver.fails = 9
    await hook(ada, receiver, "notify")
    await ada.patch("/apps/hello/config-vars", {"A": "1"})
    found = await settled(ada, "failed")
    assert {each["num_attempts"] for each in found} == {1}
    assert found[0]["last_attempt"]["error_class"] == "HTTPError"


async def test_two_processes_tell_once(kept: World, ada: Rest, receiver: Receiver) -> None:
    async with running(OPEN, beside=kept):
        await hook(ada, receiver)
        await ada.patch("/apps/hello/config-vars", {"A": "1"})
        await heard(receiver)
        found = await settled(ada, "succeeded")
    ids = [receiver.calls.get_nowait()[1]["id"] for _ in range(receiver.calls.qsize())]
    assert len(ids) == len(set(ids)) == len(found) - 1


async def test_hooks_are_changed_and_removed(ada: Rest, receiver: Receiver) -> None:
    made = (await hook(ada, receiver)).body
    path = f"/apps/hello/webhooks/{made['id']}"
    assert (await ada.patch(path, {"level": "notify"}))["level"] == "notify"
    assert [each["id"] for each in await ada.get("/apps/hello/webhooks")] == [made["id"]]
    await ada.delete(path)
    assert await ada.get("/apps/hello/webhooks") == []
    await ada("GET", path, None, 404)


@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"include": ["api:nonsense"]}, "choose of api:addon"),
        ({"include": []}, "at least one"),
        ({"level": "loud"}, "level"),
        ({"url": "ftp://x"}, "http or https"),
        ({"secret": "a\nb"}, "printable"),
    ],
)
async def test_what_cannot_be_a_hook_is_refused(
    ada: Rest, receiver: Receiver, wish: Any, words: str
) -> None:
    body = {"include": ["dyno"], "level": "notify", "url": receiver.url, **wish}
    assert words in await ada.refused("POST", "/apps/hello/webhooks", body)


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "fe80::1%1"],
)
def test_what_is_inside_is_never_called(address: str) -> None:
    with pytest.raises(Forbidden):
        require_public(address, Settings())
    require_public("1.1.1.1", Settings())
