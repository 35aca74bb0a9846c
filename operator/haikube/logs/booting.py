"""Whether an app has come up with a release: what the end of a push waits for."""

from __future__ import annotations

from time import monotonic

from haikube.cluster.port import Cluster, Json
from haikube.logs.answering import Gateway
from haikube.logs.watching import Watched
from haikube.model.resources import APPS


async def boot_problem(
    cluster: Cluster,
    namespace: str,
    app: str,
    version: int,
    *,
    seconds: float,
    retry: float,
    gateway: Gateway | None,
) -> str:
    """Return "" once release ``version`` of ``app``, or a later one, answers, else what is wrong.

    Without a gateway to ask, and for an app that no request reaches, it is enough that it runs.
    """
    end = monotonic() + seconds
    async with Watched(cluster, APPS, namespace, app, retry=retry) as watched:
        while True:
            state, message = _readiness(watched.latest, version)
            if state == "True":
                reached = gateway and _is_reached(watched.latest)
                host = (watched.latest.get("status") or {}).get("host") or ""
                return await gateway.problem(host, version) if gateway and reached else ""
            if state == "False":
                return message
            left = end - monotonic()
            if left <= 0:
                return f"not all dynos are up after {seconds:.0f} s: {message}"
            await watched.changed(left)


def _is_reached(app: Json) -> bool:
    """Tell whether requests reach dynos of an app: it has web dynos, and is open."""
    dynos = str((app.get("status") or {}).get("web") or "")
    open_ = (app.get("spec") or {}).get("maintenance") != "Enabled"
    return open_ and bool(dynos) and not dynos.endswith("/0")


def _readiness(app: Json, version: int) -> tuple[str, str]:
    """Return status and message of Ready, as far as they are about this release."""
    status = app.get("status") or {}
    if ((status.get("currentRelease") or {}).get("version") or 0) < version:
        return "Unknown", f"v{version} is not yet current"
    for condition in status.get("conditions") or ():
        if condition["type"] == "Ready":
            return condition["status"], condition["message"]
    return "Unknown", "the operator has not looked at it yet"
