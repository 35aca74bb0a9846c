"""All that decides about one build, gathered before anything is decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from haikube.model.app import App
from haikube.model.build import Build
from haikube.model.job import Job
from haikube.model.pod import Pod
from haikube.model.release import Release
from haikube.model.secret import Secret
from haikube.model.stack import Stack
from haikube.model.times import format_duration
from haikube.plan.children import BUILD_URLS
from haikube.plan.outcome import LAST_EXITS, Outcome, judge
from haikube.plan.queue import ahead_of
from haikube.plan.world import AppWorld, Stored


@dataclass(frozen=True, slots=True)
class BuildView:
    """One build, its app and stack, the build before it, its Job and pods, its releases.

    ``hidden_config`` says that the Secret which the app names as its config is not the app's own.
    """

    build: Build
    app: App | None
    stack: Stack | None
    ahead: Build | None
    admitted: bool
    job: Job | None
    pods: tuple[Pod, ...]
    urls: Secret | None
    releases: tuple[Release, ...]
    stored: Stored
    ca_bundle: str
    hidden_config: bool

    @property
    def pod(self) -> Pod | None:
        """Return the pod that was made last."""
        return max(self.pods, key=lambda each: each.meta.age_key, default=None)

    @property
    def running(self) -> bool:
        """Return whether a build process runs."""
        return any(pod.running_since for pod in self.pods)

    @property
    def interrupted(self) -> bool:
        """Return whether the pod ended in a way after which another one is tried."""
        ended = self.pod.ended if self.pod else None
        return ended is not None and ended.exit_code not in LAST_EXITS

    @property
    def outcome(self) -> Outcome | None:
        """Return how the build ended, if it has and that is known."""
        return judge(self.job, self.pods, self.stored.result, stored_missing=self.stored.missing)

    @property
    def started(self) -> datetime | None:
        """Return when the build process began."""
        if self.pod is None:
            return None
        return self.pod.running_since or (self.pod.ended.started_at if self.pod.ended else None)

    @property
    def ended(self) -> datetime | None:
        """Return when the build process came to its end."""
        return self.pod.ended.finished_at if self.pod and self.pod.ended else None

    @property
    def handed_back(self) -> bool:
        """Return whether the pod says that its result is stored."""
        return self.pod is not None and self.pod.ready

    def duration(self, now: datetime) -> str:
        """Return how long the build process ran, for people; empty when that is not known.

        One that only just handed its result back ran until now.
        """
        ended = self.ended or (now if self.handed_back else None)
        if self.started is None or ended is None:
            return ""
        return format_duration((ended - self.started).total_seconds())

    @property
    def needs_stored(self) -> bool:
        """Return whether only the storage knows how this build ended.

        So it is when the pod has handed the result back and not ended yet, when its message was
        cut short, when the pod is gone, and when there is no Job although there was one.
        """
        if self.build.finished or self.build.cancel or self.app is None or self.outcome:
            return False
        if self.job is None:
            return self.urls is not None or bool(self.build.status.get("startedAt"))
        final = (
            self.pod is not None and self.pod.ended is not None and self.pod.ended.exit_code == 0
        )
        return final or self.handed_back or self.job.over


def build_view(world: AppWorld, build: Build, default_stack: str) -> BuildView:
    """Return all that decides about a build."""
    wanted = build.stack or (world.found.stack if world.found else None) or default_stack
    jobs = world.jobs.get(build.meta.uid, ())
    job = jobs[0] if jobs else None
    return BuildView(
        build=build,
        app=world.found,
        stack=world.stacks.get(wanted),
        ahead=ahead_of(build, world.builds),
        admitted=build.meta.uid in world.admitted,
        job=job,
        pods=world.pods_of(job.meta) if job else (),
        urls=world.child_secret(build.meta, BUILD_URLS),
        releases=world.releases,
        stored=world.stored.get(build.meta.uid, Stored()),
        ca_bundle=world.ca_bundle,
        hidden_config=world.hidden_config,
    )
