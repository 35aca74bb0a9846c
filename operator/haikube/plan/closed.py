"""When nobody could answer a request: then an app has no route.

The gateway's default route shows the visitor the platform's own page; a route that leads nowhere
would be answered by the gateway, in its own words.
"""

from __future__ import annotations

from typing import Final

from haikube.model.app import App
from haikube.model.conditions import READY, find
from haikube.model.formation import Formation

MAINTENANCE: Final = "maintenance is on"
NO_DYNOS: Final = "no web dynos are wanted"
CRASHED: Final = "its web dynos do not come up"

CRASHES: Final = frozenset(
    {"AppCrashed", "BootTimeout", "MemoryQuotaExceeded", "SlugUnavailable", "ConfigUnavailable"}
)
"""Reasons for which dynos do not come up by themselves."""


def why_closed(app: App, web: Formation | None, *, ready: int, reason: str) -> str:
    """Return why nobody answers, or "".

    Args:
        app: the app.
        web: its formation of process type web.
        ready: how many of its dynos are up.
        reason: what is wrong with one that is not.
    """
    if app.maintenance:
        return MAINTENANCE
    if web is None or web.quantity == 0:
        return NO_DYNOS
    return CRASHED if not ready and reason in CRASHES else ""


def why_closed_by_status(app: App, web: Formation | None) -> str:
    """Return the same by what the status of the formation says."""
    status = web.status if web else {}
    reason = str(find(status, READY).get("reason", ""))
    return why_closed(app, web, ready=int(status.get("readyReplicas") or 0), reason=reason)
