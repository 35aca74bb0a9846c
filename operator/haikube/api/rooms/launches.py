"""``/apps/{app}/builds/{build}/launch``: how a deploy without git ends, in the words of a push."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from haikube.api.kernel.call import Call
from haikube.api.kernel.context import context_of
from haikube.api.kernel.endpoint import Room
from haikube.api.rooms.builds import find_build
from haikube.api.streams.text import text_stream
from haikube.git.builds import Repository
from haikube.git.console import Printout
from haikube.git.launch import Launch

room: Final = Room()


async def launch(request: Request) -> Response:
    """Stream what becomes of a build's release: URL, release command, the gateway's answer."""
    context = context_of(request)
    call = Call(request, context, await context.caller(request), "")
    app = await call.app()
    build = (await find_build(call, app))["metadata"]["name"]
    repository = context.repository(call.caller, app)
    printout = Printout()
    return text_stream(printout.of(_tell(call, repository, build, printout)))


async def _tell(call: Call, repository: Repository, name: str, printout: Printout) -> None:
    own, listener = call.context.own, call.context.logs
    build = await listener.finished(own, repository.namespace, name)
    if build["status"]["result"] == "Succeeded":
        seconds = call.context.settings.push_timeout
        await Launch(repository, own, listener, printout, seconds).tell(build)


room.routes.append(Route("/apps/{app}/builds/{build}/launch", launch, methods=["GET"]))
