"""All that decides about one release, taken from the world of its app."""

from __future__ import annotations

from dataclasses import dataclass

from haikube.model import labels
from haikube.model.app import App
from haikube.model.job import Job
from haikube.model.names import phase_job_name
from haikube.model.pod import Ended, Pod
from haikube.model.release import PENDING, SUCCEEDED, Release
from haikube.model.secret import Secret
from haikube.model.source import RELEASE_PHASE
from haikube.model.stack import Stack
from haikube.plan.children import SLUG_URL, SNAPSHOT, label_value
from haikube.plan.world import AppWorld


@dataclass(frozen=True, slots=True)
class ReleaseView:
    """One release among all of its app, and everything made for it.

    ``config_source`` is what its snapshot is made from; ``in_use`` says that pods run it.
    """

    release: Release
    app: App | None
    stack: Stack | None
    releases: tuple[Release, ...]
    config: Secret | None
    config_source: Secret | None
    snapshot: Secret | None
    slug_url: Secret | None
    job: Job | None
    old_jobs: tuple[Job, ...]
    phase_pods: tuple[Pod, ...]
    in_use: bool

    @property
    def ended(self) -> Ended | None:
        """Return how the release command ended."""
        return next((pod.ended for pod in self.phase_pods if pod.ended), None)

    @property
    def command(self) -> str | None:
        """Return the command of the release phase, or None."""
        return self.release.slug.command(RELEASE_PHASE) if self.release.slug else None

    @property
    def current(self) -> bool:
        """Return whether no later release has succeeded."""
        later = (each for each in self.releases if each.version > self.release.version)
        return not any(each.result == SUCCEEDED for each in later)

    @property
    def retry(self) -> str:
        """Return the wish for another run of the release phase, or empty."""
        return self.release.meta.annotations.get(labels.RETRY, "")

    @property
    def stop(self) -> str:
        """Return the wish that its release phase be ended, or empty."""
        return self.release.meta.annotations.get(labels.STOP, "")

    @property
    def over(self) -> bool:
        """Return whether it has come to its end, and nobody wishes it to be tried again."""
        if self.release.result == PENDING:
            return False
        return self.release.result == SUCCEEDED or self.retry == self.release.status.get(
            "retry", ""
        )

    @property
    def job_name(self) -> str:
        """Return the name of the Job of this run of the release phase."""
        return phase_job_name(self.release.meta.name, self.retry)


def release_view(world: AppWorld, release: Release) -> ReleaseView:
    """Return all that decides about a release."""
    label = label_value(release.meta.name)
    retry = release.meta.annotations.get(labels.RETRY, "")
    name = phase_job_name(release.meta.name, retry)
    jobs = world.jobs.get(release.meta.uid, ())
    job = next((each for each in jobs if each.meta.name == name), None)
    origin = world.release(release.rollback_of) if release.rollback_of else None
    source = world.child_secret(origin.meta, SNAPSHOT) if origin else None
    return ReleaseView(
        release=release,
        app=world.found,
        stack=world.stacks.get(release.stack),
        releases=world.releases,
        config=world.config,
        config_source=source if release.rollback_of else world.config,
        snapshot=world.child_secret(release.meta, SNAPSHOT),
        slug_url=world.child_secret(release.meta, SLUG_URL),
        job=job,
        old_jobs=tuple(each for each in jobs if each.meta.name != name),
        phase_pods=world.pods_of(job.meta) if job else (),
        in_use=any(pod.meta.labels.get(labels.RELEASE) == label for pod in world.dyno_pods),
    )
