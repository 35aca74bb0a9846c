"""What the objects of an App say that there is, and what is not known of it.

An operator that has just begun may have been shown the past of one kind and the present of another.
What it lacks it asks for, before it takes it for lost: that a release command or a build was lost
is said once and for all.
"""

from __future__ import annotations

from collections.abc import Iterator

from haikube.model import labels, names
from haikube.model.release import Release, is_under_way
from haikube.model.resources import JOBS, PODS, RELEASES, SECRETS, Resource
from haikube.model.secret import Secret
from haikube.plan.app.ledger import last_version
from haikube.plan.release.snapshot import COMPONENT
from haikube.plan.world import AppWorld

Names = Iterator[tuple[Resource, str]]


def lacking(world: AppWorld) -> Names:
    """Yield kind and name of what is not known as the objects of an App say that it is."""
    yield from _of_ledger(world)
    yield from _of_phases(world)
    yield from _of_builds(world)
    yield from _of_dynos(world)


def _of_ledger(world: AppWorld) -> Names:
    latest = world.latest
    given = last_version(world) if world.found else 0
    if given > (latest.version if latest else 0):
        yield RELEASES, names.release_name(world.name, given)
    if latest and world.config and _is_older(world.config, latest):
        yield SECRETS, world.config.meta.name
    if latest and not is_under_way(latest) and not world.child_secret(latest.meta, COMPONENT):
        yield SECRETS, latest.config


def _of_phases(world: AppWorld) -> Names:
    for each in world.releases:
        job = each.status.get("phaseJobName")
        if job and is_under_way(each) and not world.jobs.get(each.meta.uid):
            yield JOBS, job


def _of_builds(world: AppWorld) -> Names:
    for each in world.builds:
        if each.finished:
            continue
        job, pod = (each.status.get(name) for name in ("jobName", "podName"))
        jobs = world.jobs.get(each.meta.uid, ())
        if job and not jobs:
            yield JOBS, job
        if pod and not any(world.pods_of(found.meta) for found in jobs):
            yield PODS, pod


def _of_dynos(world: AppWorld) -> Names:
    for each in world.dynos:
        pod = each.status.get("podName")
        if pod and not each.ended and not world.pods_of(each.meta):
            yield PODS, pod


def _is_older(config: Secret, latest: Release) -> bool:
    """Return whether a release was made from a later version of the config than is known."""
    made_from = latest.meta.annotations.get(labels.CONFIG_VERSION, "")
    return made_from.isdecimal() and int(config.meta.resource_version) < int(made_from)
