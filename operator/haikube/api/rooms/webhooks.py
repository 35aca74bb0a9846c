"""Webhooks of an app: who may deploy it may say who is told of it."""

from __future__ import annotations

import secrets
import uuid
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlsplit

from haikube.api.bodies.parts import app_ref
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.problems import invalid, not_found
from haikube.api.kernel.rights import Right
from haikube.api.webhooks.events import INCLUDES
from haikube.api.webhooks.kept import Delivery, Hook, Kept
from haikube.cluster.port import Json
from haikube.model.resources import APPS

room: Final = Room()

_MOST: Final = 20
_LONGEST: Final = 2048
_LEVELS: Final = ("notify", "sync")


@room.get("/apps/{app}/webhooks")
async def list_all(call: Call) -> list[Json]:
    """Answer all webhooks of an app."""
    app = await call.app()
    return [_shown(app, each) for each in await (await _kept(call, app)).hooks()]


@room.get("/apps/{app}/webhooks/{webhook}")
async def show(call: Call) -> Json:
    """Answer one webhook."""
    app = await call.app()
    return _shown(app, _find(call, await (await _kept(call, app)).hooks()))


@room.post("/apps/{app}/webhooks")
async def add(call: Call) -> Json:
    """Add a webhook; its secret is told this once, in a header."""
    app = await call.app()
    wish = await call.body()
    hook = Hook(
        id=str(uuid.uuid4()),
        url=_url(wish["url"]),
        include=_include(wish["include"]),
        level=_level(wish["level"]),
        secret=str(wish.get("secret") or secrets.token_hex(32)),
        authorization=_line(wish.get("authorization")),
        created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )

    def added(hooks: list[Hook]) -> list[Hook]:
        if len(hooks) >= _MOST:
            raise invalid(f"An app has at most {_MOST} webhooks: remove one first.")
        return [*hooks, hook]

    await (await _kept(call, app)).change(added)
    call.context.herald.forget(app["metadata"]["uid"])
    call.headers["Heroku-Webhook-Secret"] = _line(hook.secret)
    return _shown(app, hook)


@room.patch("/apps/{app}/webhooks/{webhook}")
async def update(call: Call) -> Json:
    """Change a webhook."""
    app = await call.app()
    wish = await call.body()
    kept = await _kept(call, app)
    old = _find(call, await kept.hooks())
    hook = Hook(
        id=old.id,
        url=_url(wish["url"]) if wish.get("url") else old.url,
        include=_include(wish["include"]) if wish.get("include") else old.include,
        level=_level(wish["level"]) if wish.get("level") else old.level,
        secret=str(wish.get("secret") or old.secret),
        authorization=_line(wish.get("authorization")) or old.authorization,
        created_at=old.created_at,
    )
    await kept.change(lambda hooks: [hook if each.id == hook.id else each for each in hooks])
    call.context.herald.forget(app["metadata"]["uid"])
    return _shown(app, hook)


@room.delete("/apps/{app}/webhooks/{webhook}")
async def remove(call: Call) -> Json:
    """Remove a webhook."""
    app = await call.app()
    kept = await _kept(call, app)
    hook = _find(call, await kept.hooks())
    await kept.change(lambda hooks: [each for each in hooks if each.id != hook.id])
    call.context.herald.forget(app["metadata"]["uid"])
    return _shown(app, hook)


@room.get("/apps/{app}/webhook-deliveries")
async def list_deliveries(call: Call) -> list[Json]:
    """Answer the last deliveries, the oldest first; ``eq[status]`` selects."""
    kept = await _kept(call, await call.app())
    wanted = call.request.query_params.get("eq[status]")
    found = await kept.deliveries()
    return [_delivery(each) for each in found if wanted in {None, each.status}]


@room.get("/apps/{app}/webhook-deliveries/{delivery}")
async def show_delivery(call: Call) -> Json:
    """Answer one delivery."""
    for each in await list_deliveries(call):
        if each["id"] == call.path("delivery"):
            return each
    raise not_found("webhook_delivery", call.path("delivery"))


@room.get("/apps/{app}/webhook-events")
async def list_events(call: Call) -> list[Json]:
    """Answer the events of the last deliveries, each once."""
    kept = await _kept(call, await call.app())
    found = {str(each.payload["id"]): each for each in await kept.deliveries()}
    return [_event(each) for each in found.values()]


@room.get("/apps/{app}/webhook-events/{event}")
async def show_event(call: Call) -> Json:
    """Answer one event."""
    for each in await list_events(call):
        if each["id"] == call.path("event"):
            return each
    raise not_found("webhook_event", call.path("event"))


async def _kept(call: Call, app: Json) -> Kept:
    """Return the webhooks of an app, to who may change it."""
    await call.require(Right("patch", APPS), app["metadata"]["namespace"])
    return Kept(call.context.storage, app["metadata"]["uid"])


def _find(call: Call, hooks: list[Hook]) -> Hook:
    for each in hooks:
        if each.id == call.path("webhook"):
            return each
    raise not_found("webhook", call.path("webhook"))


def _url(wish: object) -> str:
    url = str(wish)
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or len(url) > _LONGEST:
        raise invalid(f"Webhook url {url!r:.80} is no http or https address with a host.")
    return url


def _include(wish: list[Any]) -> tuple[str, ...]:
    for each in wish:
        if each not in INCLUDES:
            raise invalid(f"Webhooks cannot include {each!r:.60}: choose of {', '.join(INCLUDES)}.")
    if not wish:
        raise invalid(f"Webhooks include at least one of {', '.join(INCLUDES)}.")
    return tuple(dict.fromkeys(str(each) for each in wish))


def _level(wish: object) -> str:
    if wish not in _LEVELS:
        raise invalid(f"Webhook level {wish!r:.40} is neither notify nor sync.")
    return str(wish)


def _line(wish: object) -> str:
    """Return what can be sent as a header."""
    text = str(wish or "")
    if not text.isascii() or not text.isprintable():
        raise invalid("Secret and authorization of a webhook must be printable ASCII.")
    return text


def _shown(app: Json, hook: Hook) -> Json:
    return {
        "id": hook.id,
        "app": app_ref(app),
        "url": hook.url,
        "include": list(hook.include),
        "level": hook.level,
        "created_at": hook.created_at,
        "updated_at": hook.created_at,
    }


def _delivery(delivery: Delivery) -> Json:
    return {
        "id": delivery.id,
        "seq": delivery.seq,
        "event": {"id": delivery.payload["id"], "include": delivery.include},
        "webhook": {"id": delivery.hook, "level": delivery.level},
        "status": delivery.status,
        "num_attempts": delivery.attempts,
        "next_attempt_at": delivery.next_attempt_at,
        "last_attempt": delivery.last_attempt,
        "created_at": delivery.created_at,
        "updated_at": delivery.updated_at,
    }


def _event(delivery: Delivery) -> Json:
    return {
        "id": delivery.payload["id"],
        "include": delivery.include,
        "payload": delivery.payload,
        "created_at": delivery.created_at,
        "updated_at": delivery.updated_at,
    }
