"""The caller's own account, and what Heroku's service for accounts in arrears is asked."""

from __future__ import annotations

from typing import Final

from haikube.api.bodies.account import account
from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.problems import invalid, not_found
from haikube.cluster.port import Json

room: Final = Room()


@room.get("/account")
async def show(call: Call) -> Json:
    """Answer who the caller is."""
    return account(call.caller.email)


@room.get("/users/{user}")
async def show_user(call: Call) -> Json:
    """Answer the caller by ``~``, address or id: nobody else's account is shown."""
    own = account(call.caller.email)
    if call.path("user") not in {"~", own["id"], own["email"]}:
        raise not_found("user", call.path("user"))
    return own


@room.patch("/account", "/users/{user}")
async def update(call: Call) -> Json:
    """Refuse: accounts are the cluster's."""
    del call
    raise invalid("Accounts are those of the Kubernetes cluster: change yours there.")


@room.delete("/account", "/users/{user}")
async def remove(call: Call) -> Json:
    """Refuse: accounts are the cluster's."""
    del call
    raise invalid("Accounts are those of the Kubernetes cluster: they cannot be deleted here.")


@room.get("/account/rate-limits")
async def rate_limits(call: Call) -> Json:
    """Answer that nobody has to wait."""
    del call
    return {"remaining": 4500}


@room.get("/account/invoices", "/account/credits")
async def none(call: Call) -> list[Json]:
    """Answer that nothing is billed."""
    del call
    return []
