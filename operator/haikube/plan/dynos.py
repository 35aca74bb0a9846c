"""The pod of a dyno: its environment, size and limits, the same for every way to run one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from haikube.model import labels, names
from haikube.model.app import App
from haikube.model.dyno import Dyno
from haikube.model.formation import WEB
from haikube.model.release import Release
from haikube.model.stack import Stack
from haikube.model.times import format_time
from haikube.plan.context import Context
from haikube.plan.hosts import default_host
from haikube.plan.sizes import BASIC, Size
from haikube.settings import Settings

_PROBE_WAITS = 3600
"""Seconds that a readiness probe waits for the port, or rests once the dyno has listened."""

_PROBE_SLACK = 60
"""Seconds that the kubelet gives a probe to start and to say that its time is over."""

_SEEN = "/tmp/.haikube-listening"  # noqa: S108 - in the dyno, whose files are the app's alone
"""Where the probe remembers that the dyno has listened."""

_ATTACH_SECONDS = 120
"""How long an attached dyno waits for somebody."""

_LAST_WORD = 5
"""Seconds between the end of the grace, which process 1 keeps, and the kubelet's own SIGKILL."""

_OURS = "HAIKUBE_"


@dataclass(frozen=True, slots=True)
class DynoPod:
    """What one dyno runs: a command of a release, on the stack that the release was built for."""

    app: App
    release: Release
    stack: Stack
    process_type: str
    command: str
    size: Size = BASIC

    def render(
        self,
        context: Context,
        *,
        restart_policy: str = "Always",
        deadline: int | None = None,
        run: Dyno | None = None,
    ) -> Mapping[str, Any]:
        """Return the pod spec; ``run`` is the one-off run that it is for."""
        settings = context.settings
        web = self.process_type == WEB and restart_policy == "Always"
        values = {
            "restart_policy": restart_policy,
            "grace": self.grace(settings) + (settings.drain_seconds if web else 0) + _LAST_WORD,
            "deadline": deadline,
            "runtime_class": settings.dyno_runtime_class,
            "user_namespaces": context.own_users(settings.dyno_runtime_class),
            "image": self.stack.run_image,
            "pull_policy": settings.image_pull_policy,
            "process_one": self._process_one(settings, web=web, run=run),
            "command": literal(self.command),
            "attach": run is not None and run.attach,
            "tty": run is not None and run.tty,
            "env": _with_wishes(self._env(settings, web=web), run),
            "config_secret": self.release.config,
            "slug_secret": names.slug_secret_name(self.release.meta.name),
            "resources": self.size.resources,
            "node_selector": dict(self.size.node_selector),
            "port": settings.dyno_port if web else None,
            "probe_command": [
                "/haikube/dyno",
                "listening",
                str(settings.dyno_port),
                str(_PROBE_WAITS),
                _SEEN,
            ],
            "probe_timeout": _PROBE_WAITS + _PROBE_SLACK,
            "drain": settings.drain_seconds,
        }
        return context.render("dyno-pod", values)

    def boot_timeout(self, settings: Settings) -> int:
        """Return the seconds from launch in which a web process has to listen, or it is R10."""
        declared = self.app.rollout.boot_timeout
        return settings.boot_timeout if declared is None else declared

    def boot_limit(self, settings: Settings) -> int:
        """Return the seconds until a dyno is up: the boot timeout, and time to fetch its slug."""
        size = self.release.slug.size if self.release.slug else 0
        return self.boot_timeout(settings) + size // settings.slug_rate

    def grace(self, settings: Settings) -> int:
        """Return the seconds from SIGTERM to SIGKILL."""
        declared = self.app.rollout.shutdown_grace
        return settings.shutdown_grace if declared is None else declared

    def _process_one(self, settings: Settings, *, web: bool, run: Dyno | None) -> list[str]:
        """Return what runs as process 1: it has the slug fetched, and then starts the command."""
        limits = {"--grace": self.grace(settings)}
        if web:
            limits |= {"--web": settings.dyno_port, "--boot": self.boot_timeout(settings)}
        if run is not None and run.attach:
            limits["--attach"] = _ATTACH_SECONDS
        words = (word for name, number in limits.items() for word in (name, str(number)))
        return ["/haikube/dyno", *words, "--first", "/haikube/fetch", "--", "/haikube/start"]

    def _env(self, settings: Settings, *, web: bool) -> list[dict[str, Any]]:
        """Return what every dyno is told; HOME and DYNO are set by its process 1.

        The dyno's id is the pod's uid: one for each start of a pod, as on Heroku.
        """
        plain = {
            "PORT": str(settings.dyno_port) if web else "",
            "STACK": self.stack.alias,
            "MEMORY_AVAILABLE": str(self.size.megabytes),
            "HAIKUBE_PROCESS_TYPE": self.process_type,
            **(self._metadata(settings) if self.app.tells_dynos else {}),
        }
        given = {name: literal(text) for name, text in plain.items() if text}
        return [
            *({"name": name, "value": text} for name, text in given.items()),
            _of_pod("HEROKU_DYNO_ID", "metadata.uid"),
            _of_pod("HAIKUBE_POD", "metadata.name"),
        ]

    def _metadata(self, settings: Settings) -> dict[str, str]:
        commit = self.release.meta.annotations.get(labels.COMMIT, "")
        return {
            "HEROKU_APP_ID": self.app.meta.uid,
            "HEROKU_APP_NAME": self.app.name,
            "HEROKU_APP_DEFAULT_DOMAIN_NAME": default_host(self.app.name, settings),
            "HEROKU_RELEASE_VERSION": f"v{self.release.version}",
            "HEROKU_RELEASE_CREATED_AT": format_time(self.release.meta.created),
            "HEROKU_BUILD_COMMIT": commit,
            "HEROKU_BUILD_DESCRIPTION": self.release.description,
            "HEROKU_SLUG_COMMIT": commit,
            "HEROKU_SLUG_DESCRIPTION": self.release.description,
        }


def _with_wishes(env: list[dict[str, Any]], run: Dyno | None) -> list[dict[str, Any]]:
    """Return the environment with what a one-off run asks for; our own names stay ours."""
    if run is None:
        return env
    wishes = {name: text for name, text in run.env.items() if not name.startswith(_OURS)}
    return [
        *(each for each in env if each["name"] not in wishes),
        *({"name": name, "value": literal(text)} for name, text in sorted(wishes.items())),
    ]


def _of_pod(name: str, path: str) -> dict[str, Any]:
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def literal(text: str) -> str:
    """Return a text that the kubelet leaves as it is: it reads ``$(NAME)`` and ``$$`` itself.

    >>> literal("echo $$ $(date) $PORT")
    'echo $$$$ $$(date) $$PORT'
    """
    return text.replace("$", "$$")
