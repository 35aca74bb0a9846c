"""What an event says of its object: the same JSON as the api answers, without links."""

from __future__ import annotations

from haikube.api.bodies.app import AppUrls, app_body
from haikube.api.bodies.build import build_body
from haikube.api.bodies.formation import ProcessType, dyno_body, formation_body, pod_state
from haikube.api.bodies.parts import annotation
from haikube.api.bodies.release import release_body
from haikube.api.kernel.addresses import app_url
from haikube.api.kernel.observed import Observed
from haikube.api.webhooks.events import Event
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import APPS, BUILDS, FORMATIONS, RELEASES
from haikube.plan.sizes import BASIC, find_size
from haikube.settings import Settings


def event_data(event: Event, app: Json, observed: Observed, settings: Settings) -> Json:
    """Return the object of an event."""
    releases = [each for each in observed.of_app(RELEASES, app) if each["spec"].get("version")]
    if event.resource == APPS:
        urls = AppUrls(web=app_url(app, settings), git="")
        return app_body(app, urls, releases, default_stack=settings.default_stack)
    if event.resource == RELEASES:
        return release_body(event.obj, app, output_url=None)
    if event.resource == BUILDS:
        return build_body(event.obj, app, log_url="", release=None)
    if event.resource == FORMATIONS:
        process = _process(event.obj)
        return formation_body(process, app, size=_size(process, settings))
    return _dyno(event.obj, app, observed, settings, releases)


def _dyno(
    pod: Json, app: Json, observed: Observed, settings: Settings, releases: list[Json]
) -> Json:
    marks = pod["metadata"].get("labels") or {}
    space = app["metadata"]["namespace"]
    formation = observed.get(FORMATIONS, space, str(marks.get(labels.FORMATION) or ""))
    name = annotation(pod, labels.DYNO) or str(pod["metadata"]["name"])
    kind = str(marks.get(labels.PROCESS_TYPE) or name.partition(".")[0])
    process = _process(formation) if formation else ProcessType(kind, "", 1, BASIC.key, None)
    wanted = marks.get(labels.RELEASE)
    release = next((each for each in releases if each["metadata"]["name"] == wanted), None)
    return dyno_body(
        name,
        process,
        app,
        pod_state(pod),
        id_=pod["metadata"]["uid"],
        size=_size(process, settings),
        release=release,
    )


def _process(formation: Json) -> ProcessType:
    spec, status = formation["spec"], formation.get("status") or {}
    return ProcessType(
        name=str(spec["processType"]),
        command=str(status.get("command") or ""),
        quantity=int(spec.get("quantity", 1)),
        size=str(spec.get("size") or BASIC.key),
        obj=formation,
    )


def _size(process: ProcessType, settings: Settings) -> str:
    found = find_size(process.size, settings)
    return found.name if found else process.size
