"""Whether an app has come up with a release: what the end of a push waits for."""

from __future__ import annotations

from time import monotonic

from haikube.cluster.port import Cluster, Json
from haikube.logs.watching import Watched
from haikube.model.resources import APPS


async def boot_problem(  # noqa: PLR0917 - a place, a release, and how long to wait
    cluster: Cluster, namespace: str, app: str, version: int, seconds: float, retry: float
) -> str:
    """Return "" once ``app`` runs release ``version`` or a later one, else what is wrong."""
    end = monotonic() + seconds
    async with Watched(cluster, APPS, namespace, app, retry=retry) as watched:
        while True:
            state, message = _readiness(watched.latest, version)
            if state != "Unknown":
                return "" if state == "True" else message
            left = end - monotonic()
            if left <= 0:
                return f"not all dynos are up after {seconds:.0f} s: {message}"
            await watched.changed(left)


def _readiness(app: Json, version: int) -> tuple[str, str]:
    """Return status and message of Ready, as far as they are about this release."""
    status = app.get("status") or {}
    if ((status.get("currentRelease") or {}).get("version") or 0) < version:
        return "Unknown", f"v{version} is not yet current"
    for condition in status.get("conditions") or ():
        if condition["type"] == "Ready":
            return condition["status"], condition["message"]
    return "Unknown", "the operator has not looked at it yet"
