"""The plan of an App: small plans per noun, in the order in which one follows from the other.

What a noun's new status says counts for the nouns after it: a build that ends now is released now.
What has to exist first (a Secret, an object whose uid is needed) is not taken for granted: it is
written, and the world is looked at again, until there is nothing left to write.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from haikube.model import labels
from haikube.model.build import Build
from haikube.model.formation import Formation
from haikube.model.intents import Create, Decision, Object, Part, Plan, Write
from haikube.model.release import PENDING, Release
from haikube.model.resources import APPS, BUILDS, DYNOS, FORMATIONS, RELEASES
from haikube.plan.app.adopt import plan_adoption
from haikube.plan.app.config import look_again, plan_config, with_config
from haikube.plan.app.formations import filled, plan_formations
from haikube.plan.app.hidden import plan_lost_marks
from haikube.plan.app.ledger import next_version, plan_ledger
from haikube.plan.app.retention import forget
from haikube.plan.app.status import app_status
from haikube.plan.build import plan_build
from haikube.plan.buildview import build_view
from haikube.plan.children import SLUG_URL, label_value
from haikube.plan.context import Context
from haikube.plan.declared import declared_build, declared_build_name
from haikube.plan.dyno import dyno_view, plan_dyno
from haikube.plan.formation import plan_formation
from haikube.plan.formationstatus import formation_status
from haikube.plan.formationview import formation_view
from haikube.plan.release.born import with_secrets
from haikube.plan.release.entries import plan_stray
from haikube.plan.release.health import serving
from haikube.plan.release.plan import plan_release
from haikube.plan.release.request import plan_request
from haikube.plan.release.status import complete
from haikube.plan.release.view import release_view
from haikube.plan.world import AppWorld

Parts = tuple[Part, ...]
T = TypeVar("T", Build, Release, Formation)


def plan_world(world: AppWorld, context: Context) -> Decision:
    """Return what is wanted for every object of an App; of a deleted one nothing."""
    app = world.found
    if app is None:
        return _orphans(world, context)
    if app.meta.deleting:
        return Decision((), tuple)
    if lost := plan_lost_marks(world):
        first = (Part(APPS, app.meta, Plan(lost)),)
        return Decision(first, lambda: first)
    builds = tuple(_builds(world, context))
    world = world.with_builds(_each(world.builds, builds))
    releases = _overtaken(world, tuple(_releases(world, context)), context)
    recorded, world = world.releases, world.with_releases(_each(world.releases, releases))
    requests = (
        Part(RELEASES, each.meta, plan_request(world, each, context)) for each in world.requests
    )
    strays = (Part(RELEASES, each.meta, _stray(world, each, context)) for each in world.strays)
    others = (*builds, *requests, *strays)
    rest = (Part(APPS, app.meta, plan_app(world, context)), *_dynos(world, context))
    world = world.with_formations(filled(world))
    formations = tuple(_formations(world, context))

    def conclude() -> Parts:
        told = tuple(_with_status(world, each, context) for each in formations)
        whole = world.with_formations(_each(world.formations, told))
        own, *dynos = rest
        plan = replace(own.plan, status=app_status(whole, context))
        ended = _completed(whole, recorded, releases, context)
        return (*others, *ended, replace(own, plan=plan), *told, *dynos)

    return Decision((*others, *releases, *rest, *formations), conclude)


def plan_app(world: AppWorld, context: Context) -> Plan:
    """Return what should exist for the App itself."""
    wanted = declared_build(world.app, context.settings.default_stack)
    known = world.build(declared_build_name(world.app)) is not None
    return Plan(
        writes=(
            *plan_adoption(world),
            *plan_config(world),
            *((wanted,) if wanted and not known else ()),
            *_ledger(with_config(world), context),
            *plan_formations(world),
            *forget(world, context),
        ),
        requeue_after=look_again(world),
    )


def _ledger(world: AppWorld, context: Context) -> Iterator[Write]:
    for each in plan_ledger(world):
        yield with_secrets(each, world, context) if isinstance(each, Create) else each


def _stray(world: AppWorld, release: Release, context: Context) -> Plan:
    return plan_stray(release, world.releases, next_version(world), context)


def _builds(world: AppWorld, context: Context) -> Iterator[Part]:
    for each in world.builds:
        view = build_view(world, each, context.settings.default_stack)
        yield Part(BUILDS, each.meta, plan_build(view, context))


def _releases(world: AppWorld, context: Context) -> Iterator[Part]:
    """Yield the releases in the order of the ledger: each sees how those before it are now."""
    for each in sorted(world.releases, key=lambda each: each.version):
        if not _is_history(world, each):
            plan = plan_release(release_view(world, each), context)
            part = Part(RELEASES, each.meta, plan)
            world = world.with_releases(_each(world.releases, (part,)))
            yield part


def _overtaken(world: AppWorld, parts: Parts, context: Context) -> Parts:
    """Return the parts with a release planned anew that a later one has just overtaken."""
    known = {each.meta.uid: each for each in world.releases}
    after = world.with_releases(_each(world.releases, parts))
    current = after.current

    def plan(part: Part) -> Part:
        status = part.plan.status or {}
        if current is None or part.meta.uid == current.meta.uid or not status.get("current"):
            return part
        view = release_view(after, known[part.meta.uid])
        return replace(part, plan=plan_release(view, context))

    return tuple(plan(each) for each in parts)


def _is_history(world: AppWorld, release: Release) -> bool:
    """Return whether nothing is left to be decided about a release, so that fifty cost nothing."""
    current, name = world.current, label_value(release.meta.name)
    recorded = release.result != PENDING and not (release.current or release.serving)
    return (
        recorded
        and (current is None or current.meta.uid != release.meta.uid)
        and labels.RETRY not in release.meta.annotations
        and release.status.get("observedGeneration") == release.meta.generation
        and not world.jobs.get(release.meta.uid)
        and world.child_secret(release.meta, SLUG_URL) is None
        and all(pod.meta.labels.get(labels.RELEASE) != name for pod in world.dyno_pods)
    )


def _completed(
    world: AppWorld, recorded: tuple[Release, ...], parts: Parts, context: Context
) -> Iterator[Part]:
    """Yield the parts of releases with all that their status says once the dynos are known."""
    before = {each.meta.uid: each for each in recorded}
    after = {each.meta.uid: each for each in world.releases}
    answers = serving(world)
    for part in parts:
        uid = part.meta.uid
        if part.plan.status is None:
            yield part
            continue
        serves = answers is not None and answers.meta.uid == uid
        status = complete(world, before[uid], after[uid], context, serves=serves)
        yield replace(part, plan=replace(part.plan, status=status))


def _formations(world: AppWorld, context: Context) -> Iterator[Part]:
    for each in world.formations:
        view = formation_view(world, each, context.settings)
        yield Part(FORMATIONS, each.meta, plan_formation(view, context))


def _with_status(world: AppWorld, part: Part, context: Context) -> Part:
    """Return the part of a formation with the status that it gets."""
    if part.meta.deleting:
        return part
    formation = next(each for each in world.formations if each.meta.uid == part.meta.uid)
    status = formation_status(formation_view(world, formation, context.settings), context)
    return replace(part, plan=replace(part.plan, status=status))


def _dynos(world: AppWorld, context: Context) -> Iterator[Part]:
    for each in world.dynos:
        yield Part(DYNOS, each.meta, plan_dyno(dyno_view(world, each, context.settings), context))


def _orphans(world: AppWorld, context: Context) -> Decision:
    """Return what is said of objects that refer to an App that does not exist."""
    told = (_with_status(world, each, context) for each in _formations(world, context))
    parts = (*_builds(world, context), *told, *_dynos(world, context))
    return Decision(parts, lambda: parts)


def _each(objects: tuple[T, ...], parts: Iterable[Part]) -> tuple[T, ...]:
    """Return objects with the statuses that their parts give them; the same if none differs."""
    told = {part.meta.uid: part.plan.status for part in parts if part.plan.status is not None}
    new = tuple(_with(each, told.get(each.meta.uid)) for each in objects)
    return (
        new if any(one is not other for one, other in zip(new, objects, strict=True)) else objects
    )


def _with(obj: T, status: Object | None) -> T:
    return obj if status is None or status == obj.status else obj.with_status(status)
