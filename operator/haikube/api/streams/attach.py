"""``GET /attach``: a session with a dyno over a WebSocket. docs/spec/attach.md is the contract.

What is done in the cluster is done with the token of who asked for the session, which the secret
holds. A session that is not renewed is over: the operator ends its dyno, whatever became of us.
"""

from __future__ import annotations

import asyncio
import json
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from starlette.responses import Response
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from haikube.api.kernel.context import Context
from haikube.api.kernel.problems import Problem, problem_of
from haikube.api.streams.client import FAILED, Client, size_of
from haikube.cluster.errors import ApiError, Conflict
from haikube.cluster.port import Cluster, Json, Stream
from haikube.model import labels
from haikube.model.resources import DYNOS, PODS
from haikube.model.times import format_time, parse_time
from haikube.run.session import Session

ACT: Final = "ATTACH"
PROTOCOL: Final = "haikube.attach.v1"

JOIN_SECONDS: Final = 120.0
"""How long a secret may be used."""

LEASE_SECONDS: Final = 600.0
"""How long a session that nobody renews counts as alive."""

_RENEW_SECONDS: Final = 60.0
_START_SECONDS: Final = 600.0
_END_SECONDS: Final = 15.0
_OVER: Final = frozenset({"Complete", "Crashed"})
_LOST: Final = "the dyno was lost: nobody knows how its command ended"
_CUT: Final = "its node let go of the session, as when a kubelet restarts: the command is ended"
_STOPPING: Final = timedelta(seconds=30)
"""How long after its last moment a pod is stopping; on a node that does not answer it stays so."""

_log = structlog.get_logger(__name__)


class Refused(Exception):
    """The session cannot be, or was lost; the message is for the person."""


async def attach(socket: WebSocket) -> None:
    """Serve one session from its request to its end."""
    context: Context = socket.app.state.context
    try:
        secret = socket.headers.get("haikube-capability", "").partition("?")[0]
        wish = context.seals.open(ACT, secret)
        session = _Inside(context, wish) if "pod" in wish else _OneOff(context, wish)
        await session.claim()
    except (Problem, ApiError) as error:
        await _refuse(socket, error)
        return
    await socket.accept(subprotocol=PROTOCOL)
    client = Client(socket)
    try:
        code = await session.run(client)
    except (Refused, ApiError) as error:
        await client.close(FAILED, str(error))
    else:
        await client.end(code, told=bool(wish["told"]))


async def _refuse(socket: WebSocket, error: Exception) -> None:
    """Answer the request instead of the upgrade."""
    problem = problem_of(error)
    response = Response(json.dumps(problem.body), problem.status, media_type="application/json")
    await socket.send_denial_response(response)


class _Inside:
    """A second process in a dyno that runs."""

    def __init__(self, context: Context, wish: dict[str, Any]) -> None:
        self._observed = context.observed
        self._cluster: Cluster = context.own.with_token(wish["token"])
        self._wish = wish
        self._tty = bool(wish["tty"])

    async def claim(self) -> None:
        """Take nothing: to run a command twice is for its caller to decide."""

    async def run(self, client: Client) -> int | None:
        """Run the command; returns its exit code, None when the client went."""
        session, line = str(self._wish["session"]), str(self._wish["command"])
        launch = ("/haikube/dyno", "inside", session, "/haikube/start", line)
        async with self._cluster.attach(self._stream(launch)) as channel:
            if self._tty and (size := size_of(self._wish["columns"], self._wish["rows"])):
                await channel.resize(size.columns, size.rows)
            await client.tell(state="up")
            if await Session(client, channel, tty=self._tty, is_lost=self._is_lost).run():
                return channel.exit_code or 0
        if self._is_lost():
            raise Refused(_LOST)
        await self._hang_up()
        return None

    def _is_lost(self) -> bool:
        return _is_gone(self._observed.get(PODS, self._wish["namespace"], self._wish["pod"]))

    async def _hang_up(self) -> None:
        """Do to the process what a terminal does that goes away."""
        launch = ("/haikube/dyno", "hang-up", self._wish["session"])
        with suppress(ApiError):
            async with self._cluster.attach(self._stream(launch)) as channel:
                async for _ in channel.output():
                    pass

    def _stream(self, command: tuple[str, ...]) -> Stream:
        tty = self._tty and command[1] == "inside"
        place = self._wish["pod"], self._wish["namespace"], self._wish["container"]
        return Stream(*place, tty, command)


class _OneOff:
    """The process of a one-off dyno."""

    def __init__(self, context: Context, wish: dict[str, Any]) -> None:
        self._observed = context.observed
        self._cluster: Cluster = context.own.with_token(wish["token"])
        self._wish = wish
        self._tty = bool(wish["tty"])

    async def claim(self) -> None:
        """Join it once and for all; raises a 404 ``Problem`` for whoever comes later."""
        dyno = await self._cluster.get(DYNOS, self._wish["dyno"], self._wish["namespace"])
        meta = dyno["metadata"]
        notes = meta.get("annotations") or {}
        if meta["uid"] != self._wish["uid"] or labels.SESSION_JOINED in notes:
            raise Problem(404, "not_found", "This session was joined already.")
        change = {
            "metadata": {
                "resourceVersion": meta["resourceVersion"],
                "annotations": {labels.SESSION_JOINED: "true", **_lease()},
            }
        }
        try:
            await self._cluster.patch(DYNOS, meta["name"], meta["namespace"], change)
        except Conflict:
            await self.claim()  # the operator wrote its status in between

    async def run(self, client: Client) -> int | None:
        """Run the command; returns its exit code, None when the client went."""
        waiting = asyncio.create_task(self._begun())
        renewing = asyncio.create_task(self._renew())
        try:
            pod = await waiting
            done = await self._joined(client, pod)
        except BaseException:
            await self._over()
            raise
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])
        if not done:
            await self._over()
            return None
        return await self._exit_code(pod)

    async def _joined(self, client: Client, pod: Json) -> bool:
        meta = pod["metadata"]
        container = pod["spec"]["containers"][0]["name"]
        stream = Stream(meta["name"], meta["namespace"], container, self._tty)
        async with self._cluster.attach(stream) as channel:
            if self._tty and (size := size_of(self._wish["columns"], self._wish["rows"])):
                await channel.resize(size.columns, size.rows)
            await channel.send(b"\n")  # what the launcher waits for
            await client.tell(state="up")
            done = await Session(client, channel, tty=self._tty, is_lost=self._is_lost).run()
        if not done and self._is_lost():
            raise Refused(_LOST)
        return done

    def _is_lost(self) -> bool:
        return _is_gone(self._observed.get(PODS, self._wish["namespace"], self._wish["dyno"]))

    async def _begun(self) -> Json:
        """Return its pod once its container runs; raises ``Refused`` with why it does not."""
        found = await self._observed.until(self._running_or_failed, _START_SECONDS)
        if found is None:
            raise Refused("the dyno did not start in time")
        if found["kind"] == DYNOS.kind:
            raise Refused(_why(found))
        return found

    def _running_or_failed(self) -> Json | None:
        place = self._wish["namespace"], self._wish["dyno"]
        pod = self._observed.get(PODS, *place)
        if pod is not None and _container(pod).get("state", {}).keys() & {"running", "terminated"}:
            return pod
        dyno = self._observed.get(DYNOS, *place)
        state = ((dyno or {}).get("status") or {}).get("state")
        return dyno if state in _OVER or (dyno and _stalled(dyno)) else None

    async def _exit_code(self, pod: Json) -> int:
        meta = pod["metadata"]

        def ended() -> int | None:
            now = self._observed.get(PODS, meta["namespace"], meta["name"]) or {}
            state = _container(now).get("state", {}).get("terminated")
            return None if state is None else int(state.get("exitCode") or 0)

        code = await self._observed.until(ended, _END_SECONDS)
        if code is None:
            await self._over()
            raise Refused(_LOST if self._is_lost() else _CUT)
        return code

    async def _renew(self) -> None:
        while True:
            await asyncio.sleep(_RENEW_SECONDS)
            try:
                await self._note(_lease())
            except ApiError as error:
                _log.warning("a session was not renewed", error=str(error))

    async def _over(self) -> None:
        """Let the operator end the dyno now."""
        with suppress(ApiError):
            await self._note({labels.SESSION_UNTIL: format_time(datetime.now(UTC))})

    async def _note(self, notes: dict[str, str]) -> None:
        change = {"metadata": {"annotations": notes}}
        await self._cluster.patch(DYNOS, self._wish["dyno"], self._wish["namespace"], change)


def _lease() -> dict[str, str]:
    until = datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS)
    return {labels.SESSION_UNTIL: format_time(until)}


def _container(pod: Json) -> Json:
    return next(iter((pod.get("status") or {}).get("containerStatuses") or ()), {})


def _is_gone(pod: Json | None) -> bool:
    """Tell whether a pod is no more: removed, or long past its end on a node that is lost."""
    if pod is None:
        return True
    end = pod["metadata"].get("deletionTimestamp")
    return bool(end) and parse_time(str(end)) + _STOPPING < datetime.now(UTC)


def _stalled(dyno: Json) -> bool:
    conditions = (dyno.get("status") or {}).get("conditions") or ()
    return any(each["type"] == "Stalled" and each["status"] == "True" for each in conditions)


def _why(dyno: Json) -> str:
    conditions = (dyno.get("status") or {}).get("conditions") or ()
    told = {(each["type"], each["status"]): each["message"] for each in conditions}
    known = (told.get(key) for key in (("Succeeded", "False"), ("Stalled", "True")))
    return next((each for each in known if each), "the dyno did not start")


ROUTES: Final = [WebSocketRoute("/attach", attach)]
