"""What the objects of an App say that there is, and what is not known of it.

An operator that has just begun may have been shown the past of one kind and the present of another.
What it lacks it asks for, before it takes it for lost: that a release command or a build was lost
is said once and for all. A label that somebody took off hides a child just so, and is put back.
"""

from __future__ import annotations

from collections.abc import Iterator

from haikube.model import labels, names
from haikube.model.release import Release, is_under_way
from haikube.model.resources import DEPLOYMENTS, JOBS, PODS, RELEASES, SECRETS
from haikube.model.secret import Secret
from haikube.plan.app.ledger import last_version
from haikube.plan.children import BUILD, CONFIG, DYNO, ONE_OFF, PHASE, SNAPSHOT
from haikube.plan.world import AppWorld, Child

Children = Iterator[Child]


def lacking(world: AppWorld) -> Children:
    """Yield what is not known as the objects of an App say that it is."""
    yield from _of_config(world)
    yield from _of_ledger(world)
    yield from _of_phases(world)
    yield from _of_builds(world)
    yield from _of_dynos(world)
    yield from _of_formations(world)


def _of_config(world: AppWorld) -> Children:
    if world.found and world.config is None:
        yield Child(SECRETS, world.found.config, world.found.meta.uid, CONFIG)


def _of_ledger(world: AppWorld) -> Children:
    latest = world.latest
    given, uid = (last_version(world), world.app.meta.uid) if world.found else (0, "")
    if given > (latest.version if latest else 0):
        yield Child(RELEASES, names.release_name(world.name, given), uid)
    if latest and world.config and _is_older(world.config, latest):
        yield Child(SECRETS, world.config.meta.name, uid, CONFIG)
    for each in _with_snapshot(world):
        if not world.child_secret(each.meta, SNAPSHOT):
            yield Child(SECRETS, each.config, each.meta.uid, SNAPSHOT)


def _with_snapshot(world: AppWorld) -> Iterator[Release]:
    """Yield the releases whose config is of use, of those that have had one from their end on."""
    wanting = (*world.requests, *(each for each in world.releases if is_under_way(each)))
    used = {each.rollback_of for each in wanting}
    used |= {each.version for each in (world.latest, world.current) if each}
    for each in world.releases:
        if each.version in used and not is_under_way(each):
            yield each


def _of_phases(world: AppWorld) -> Children:
    for each in world.releases:
        job = each.status.get("phaseJobName")
        if job and is_under_way(each) and not world.jobs.get(each.meta.uid):
            yield Child(JOBS, job, each.meta.uid, PHASE)


def _of_builds(world: AppWorld) -> Children:
    for each in world.builds:
        if each.finished:
            continue
        job, pod = (each.status.get(name) for name in ("jobName", "podName"))
        jobs = world.jobs.get(each.meta.uid, ())
        if job and not jobs:
            yield Child(JOBS, job, each.meta.uid, BUILD)
        if pod and not any(world.pods_of(found.meta) for found in jobs):
            yield Child(PODS, pod, jobs[0].meta.uid if jobs else "", BUILD)


def _of_dynos(world: AppWorld) -> Children:
    for each in world.dynos:
        pod = each.status.get("podName")
        if pod and not each.ended and not world.pods_of(each.meta):
            yield Child(PODS, pod, each.meta.uid, ONE_OFF)


def _of_formations(world: AppWorld) -> Children:
    for each in world.formations:
        if each.status.get("replicas") and each.meta.uid not in world.deployments:
            yield Child(DEPLOYMENTS, each.meta.name, each.meta.uid, DYNO)


def _is_older(config: Secret, latest: Release) -> bool:
    """Return whether a release was made from a later version of the config than is known."""
    made_from = latest.meta.annotations.get(labels.CONFIG_VERSION, "")
    return made_from.isdecimal() and int(config.meta.resource_version) < int(made_from)
