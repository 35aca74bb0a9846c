"""Authorizations: tokens for machines. Each is a service account of its owner's team.

Its rights are those of the roles it is bound to, which its owner has as well. It ends when the
account is deleted: the cluster takes none of its tokens from then on.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from haikube.api.bodies.parts import annotation, created, person
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.identity import made_id, shown_user
from haikube.api.kernel.problems import Problem, invalid, not_found
from haikube.api.kernel.rights import Right
from haikube.api.rooms.lookup import home
from haikube.cluster.accounts import request_token
from haikube.cluster.errors import Forbidden
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import APPS, ROLE_BINDINGS, SERVICE_ACCOUNTS

room: Final = Room()

COMPONENT: Final = "authorization"

_SCOPES: Final = ("global", "identity", "read", "write", "read-protected", "write-protected")
_SHORTEST: Final = 600
_FOREVER: Final = 10 * 365 * 86_400
"""Seconds of a token that nobody gave an end; the cluster may have a lower limit."""


@room.get("/oauth/authorizations")
async def list_all(call: Call) -> list[Json]:
    """Answer the caller's authorizations; the token is shown of the one in use alone."""
    return [_shown(call, each, _own_token(call, each)) for each in _mine(call)]


@room.get("/oauth/authorizations/{authorization}")
async def show(call: Call) -> Json:
    """Answer one authorization, with a token of it that works."""
    account = _find(call)
    return _shown(call, account, _own_token(call, account) or await _token(call, account))


@room.post("/oauth/authorizations")
async def create(call: Call) -> Json:
    """Make an authorization; a password is answered with the token that it was."""
    wish = await call.body()
    if call.request.headers.get("authorization", "").lower().startswith("basic "):
        return _login(call)
    scope = _scope(wish.get("scope"))
    wish["expires_in"] = _life(wish.get("expires_in"))
    namespace = await home(call)
    try:
        account = await _account(call, namespace, wish, scope)
        await _bind(call, account, scope)
        token = await _token(call, account)
    except Forbidden:
        raise Problem(
            403,
            "forbidden",
            f"{call.caller.email} may not make authorizations in team {namespace}. "
            "An administrator of the team can: role haikube-admin.",
        ) from None
    return _shown(call, account, token)


@room.patch("/oauth/authorizations/{authorization}")
async def update(call: Call) -> Json:
    """Describe an authorization in other words."""
    account = _find(call)
    wish = await call.body()
    if wish.get("client"):
        raise invalid("OAuth clients are not there: only the description can change.")
    account = await _marked(call, account, {labels.DESCRIPTION: str(wish.get("description") or "")})
    return _shown(call, account, _own_token(call, account))


@room.delete("/oauth/authorizations/{authorization}")
async def revoke(call: Call) -> Json:
    """End an authorization: its tokens stop working."""
    account = _find(call)
    await call.delete(SERVICE_ACCOUNTS, account)
    call.context.authenticator.forget()
    return _shown(call, account, None)


@room.post("/oauth/authorizations/{authorization}/actions/regenerate-tokens", status=200)
async def regenerate(call: Call) -> Json:
    """End all tokens of an authorization and answer a new one."""
    old = _find(call)
    scope, meta = _scopes(old), old["metadata"]
    wish = {
        "description": annotation(old, labels.DESCRIPTION),
        "expires_in": int(annotation(old, labels.EXPIRES_IN) or 0) or None,
    }
    await call.delete(SERVICE_ACCOUNTS, old)
    call.context.authenticator.forget()
    account = await _account(call, meta["namespace"], wish, scope, name=meta["name"])
    await _bind(call, account, scope)
    return _shown(call, account, await _token(call, account))


def _mine(call: Call) -> list[Json]:
    accounts = call.context.observed.all(SERVICE_ACCOUNTS)
    mine = [
        each for each in accounts if shown_user(annotation(each, labels.OWNER)) == call.caller.email
    ]
    return sorted(mine, key=lambda each: (created(each), str(each["metadata"]["name"])))


def _find(call: Call) -> Json:
    wanted = call.path("authorization")
    for each in _mine(call):
        if wanted == _id(each) or (wanted == "~" and _own_token(call, each)):
            return each
    raise not_found("authorization", wanted)


def _id(account: Json) -> str:
    meta = account["metadata"]
    return made_id("authorization", f"{meta['namespace']}/{meta['name']}")


def _own_token(call: Call, account: Json) -> Json | None:
    """Return the token in use if it is one of this account."""
    meta = account["metadata"]
    username = f"system:serviceaccount:{meta['namespace']}:{meta['name']}"
    return {"token": call.caller.token} if call.caller.username == username else None


def _scope(wish: object) -> list[str]:
    scope = wish if isinstance(wish, list) and wish else ["global"]
    for each in scope:
        if each not in _SCOPES:
            raise invalid(f"Scope {each!r:.40} is not possible: choose of {', '.join(_SCOPES)}.")
    return [str(each) for each in scope]


def _life(wish: object) -> int | None:
    """Return the seconds that a token is to live, None without an end."""
    if wish in {None, ""}:
        return None
    text = str(wish)
    if not text.isdecimal() or not 0 < int(text) <= _FOREVER:
        raise invalid(f"expires_in {text!r:.40} must be a number of seconds, at most {_FOREVER}.")
    return int(text)


def _scopes(account: Json) -> list[str]:
    return annotation(account, labels.SCOPE).split(",")


async def _account(
    call: Call,
    namespace: str,
    wish: Mapping[str, Any],
    scope: Sequence[str],
    *,
    name: str = "",
) -> Json:
    body = {
        "apiVersion": "v1",
        "kind": SERVICE_ACCOUNTS.kind,
        "automountServiceAccountToken": False,
        "metadata": {
            "name": name or f"haikube-auth-{secrets.token_hex(5)}",
            "namespace": namespace,
            "labels": {labels.COMPONENT: COMPONENT},
            "annotations": {
                labels.OWNER: call.caller.email,
                labels.DESCRIPTION: str(wish.get("description") or "Long-lived user authorization"),
                labels.SCOPE: ",".join(scope),
                labels.EXPIRES_IN: str(wish.get("expires_in") or ""),
            },
        },
    }
    return await call.create(SERVICE_ACCOUNTS, body)


async def _bind(call: Call, account: Json, scope: Sequence[str]) -> None:
    """Give an account the roles of its scope; they go with it."""
    meta = account["metadata"]
    owner = {"apiVersion": "v1", "kind": "ServiceAccount", "name": meta["name"], "uid": meta["uid"]}
    for role in await _roles(call, meta["namespace"], set(scope)):
        body = {
            "apiVersion": ROLE_BINDINGS.api_version,
            "kind": ROLE_BINDINGS.kind,
            "metadata": {
                "name": f"{meta['name']}-{role}-{secrets.token_hex(3)}",
                "namespace": meta["namespace"],
                "labels": {labels.COMPONENT: COMPONENT},
                "ownerReferences": [owner],
            },
            "roleRef": {"apiGroup": ROLE_BINDINGS.group, "kind": "ClusterRole", "name": role},
            "subjects": [
                {"kind": "ServiceAccount", "name": meta["name"], "namespace": meta["namespace"]}
            ],
        }
        await call.caller.cluster.create(ROLE_BINDINGS, body)


async def _roles(call: Call, namespace: str, scope: set[str]) -> list[str]:
    """Return the roles that make a scope; global is all that the caller has."""
    if scope & {"write", "write-protected"}:
        return ["haikube-developer"]
    if "global" in scope:
        may = call.context.rights.may
        if not await may(call.caller, Right("create", APPS), namespace):
            return ["haikube-viewer"]
        admin = await may(call.caller, Right("create", ROLE_BINDINGS), namespace)
        return ["haikube-developer", "haikube-admin"] if admin else ["haikube-developer"]
    return ["haikube-viewer"] if scope & {"read", "read-protected"} else []


async def _token(call: Call, account: Json) -> Json:
    meta = account["metadata"]
    wanted = int(annotation(account, labels.EXPIRES_IN) or _FOREVER)
    seconds = max(_SHORTEST, wanted)
    return await request_token(
        call.caller.cluster, meta["name"], meta["namespace"], seconds=seconds
    )


async def _marked(call: Call, account: Json, marks: Mapping[str, str]) -> Json:
    meta = account["metadata"]
    body = {"metadata": {"annotations": dict(marks)}}
    made = await call.caller.cluster.patch(SERVICE_ACCOUNTS, meta["name"], meta["namespace"], body)
    call.context.observed.put(SERVICE_ACCOUNTS, made)
    return made


def _shown(call: Call, account: Json, token: Json | None) -> Json:
    return _body(
        call,
        _id(account),
        description=annotation(account, labels.DESCRIPTION),
        scope=_scopes(account),
        token=token,
        since=created(account),
    )


def _login(call: Call) -> Json:
    """Return the token that came as a password as what it is: a login."""
    return _body(
        call,
        made_id("login", call.caller.username),
        description="Login with a token of the cluster",
        scope=["global"],
        token={"token": call.caller.token},
        since=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _body(
    call: Call, id_: str, *, description: str, scope: list[str], token: Json | None, since: str
) -> Json:
    shown = None
    if token is not None:
        life = _seconds_left(token)
        shown = {"id": made_id("token", id_), "token": token["token"], "expires_in": life}
    return {
        "id": id_,
        "description": description,
        "scope": scope,
        "access_token": shown,
        "refresh_token": None,
        "client": None,
        "grant": None,
        "session": None,
        "user": {**person(call.caller.email), "full_name": call.caller.email},
        "created_at": since,
        "updated_at": since,
    }


def _seconds_left(token: Json) -> int | None:
    """Return the life of a token in seconds, None for years of it."""
    text = token.get("expirationTimestamp")
    if not text:
        return None
    ends = datetime.fromisoformat(str(text))
    left = int((ends - datetime.now(UTC)).total_seconds())
    return left if left < _FOREVER // 2 else None
