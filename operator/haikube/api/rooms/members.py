"""Members of a team as its RoleBindings name them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from haikube.api.bodies.parts import created
from haikube.api.kernel.call import Call
from haikube.api.kernel.identity import shown_user
from haikube.api.kernel.problems import Problem, invalid, not_found
from haikube.cluster.errors import AlreadyExists, Forbidden
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import NAMESPACES, ROLE_BINDINGS

ADMIN: Final = "admin"
MEMBER: Final = "member"
VIEWER: Final = "viewer"

_ROLES: Final = {
    "haikube-admin": ADMIN,
    "admin": ADMIN,
    "haikube-developer": MEMBER,
    "edit": MEMBER,
    "haikube-viewer": VIEWER,
    "view": VIEWER,
}
_GRANTED: Final = {
    ADMIN: ("haikube-developer", "haikube-admin"),
    MEMBER: ("haikube-developer",),
    VIEWER: ("haikube-viewer",),
}
"""The ClusterRoles that make each role."""

PERMISSIONS: Final = {
    "deploy": "Deploy, scale, read logs",
    "manage": "Change who may use the app, transfer and delete it",
    "operate": "Config vars, domains, certificates",
    "view": "See the app",
}
"""What can be allowed on an app, in Heroku's words; a role of the team holds some of them."""

_RANK: Final = (VIEWER, MEMBER, ADMIN)


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of a team; groups are called by their name."""

    email: str
    role: str
    since: str


def members_of(call: Call, namespace: str) -> list[Member]:
    """Return the members of a team, each with the highest of their roles, sorted by name."""
    found: dict[str, Member] = {}
    for binding in call.context.observed.all(ROLE_BINDINGS, namespace):
        role = _ROLES.get(binding["roleRef"]["name"])
        if role is None or _is_machine(binding):
            continue
        for email in _emails(binding):
            known = found.get(email)
            if known is None or _RANK.index(role) > _RANK.index(known.role):
                found[email] = Member(email, role, created(binding))
    return [found[email] for email in sorted(found)]


async def add_member(call: Call, namespace: str, email: str, role: str) -> Member:
    """Give somebody a role, and only that; raises a 422 ``Problem`` for what is none."""
    if role not in _GRANTED:
        raise invalid(f"Role {role!r:.40} is not possible: choose one of {', '.join(_GRANTED)}.")
    email = shown_user(email)
    subject = _subject(call, email)
    try:
        for granted in _GRANTED[role]:
            await _bind(call, namespace, subject, email, granted)
        for binding in list(_bindings_of(call, namespace, email)):
            if binding["roleRef"]["name"] not in _GRANTED[role]:
                await _take_out(call, binding, email)
    except Forbidden:
        raise _forbidden(call, namespace) from None
    known = {each.email: each for each in members_of(call, namespace)}
    return Member(email, role, known[email].since if email in known else "1970-01-01T00:00:00Z")


async def remove_member(call: Call, namespace: str, identity: str) -> Member:
    """Take all roles of somebody away, who is named by address."""
    identity = shown_user(identity)
    member = next((each for each in members_of(call, namespace) if each.email == identity), None)
    if member is None:
        raise not_found("collaborator", identity)
    _keep_an_admin(call, namespace, member)
    try:
        for binding in list(_bindings_of(call, namespace, identity)):
            await _take_out(call, binding, identity)
    except Forbidden:
        raise _forbidden(call, namespace) from None
    return member


def _keep_an_admin(call: Call, namespace: str, member: Member) -> None:
    """Refuse to leave a team without anybody who may say who is of it."""
    admins = [each.email for each in members_of(call, namespace) if each.role == ADMIN]
    if admins == [member.email]:
        raise invalid(
            f"{member.email} is the last administrator of team {namespace}: make somebody else one "
            f"first, with heroku members:set EMAIL --team {namespace} --role admin."
        )


async def _bind(call: Call, namespace: str, subject: Json, email: str, role: str) -> None:
    digest = hashlib.sha256(email.encode()).hexdigest()[:10]
    body = {
        "apiVersion": ROLE_BINDINGS.api_version,
        "kind": ROLE_BINDINGS.kind,
        "metadata": {
            "name": f"{role}-{digest}",
            "namespace": namespace,
            "annotations": {labels.AUTHOR: call.caller.email},
        },
        "roleRef": {"apiGroup": ROLE_BINDINGS.group, "kind": "ClusterRole", "name": role},
        "subjects": [subject],
    }
    try:
        await call.create(ROLE_BINDINGS, body)
    except AlreadyExists:
        return


async def _take_out(call: Call, binding: Json, email: str) -> None:
    """Leave a binding to the others that it names; one for nobody else goes away."""
    left = [each for each in binding.get("subjects") or () if _email(each) != email]
    if left:
        await call.patch(ROLE_BINDINGS, binding, {"subjects": left})
    else:
        await call.delete(ROLE_BINDINGS, binding)


def _bindings_of(call: Call, namespace: str, email: str) -> Iterator[Json]:
    for binding in call.context.observed.all(ROLE_BINDINGS, namespace):
        if binding["roleRef"]["name"] in _ROLES and email in _emails(binding):
            yield binding


def _is_machine(binding: Json) -> bool:
    """Tell whether a binding is that of an authorization, which acts for a member."""
    marks: dict[str, Any] = binding["metadata"].get("labels") or {}
    return marks.get(labels.COMPONENT) == "authorization"


def _emails(binding: Json) -> list[str]:
    return [_email(each) for each in binding.get("subjects") or ()]


def _email(subject: Json) -> str:
    if subject["kind"] == "ServiceAccount":
        return f"{subject['name']}@{subject.get('namespace', '')}"
    return shown_user(str(subject["name"]))


def _subject(call: Call, email: str) -> Json:
    """Return whom an address means: a service account's ends with the name of a team."""
    name, _, namespace = email.rpartition("@")
    teams = {each["metadata"]["name"] for each in call.context.observed.all(NAMESPACES)}
    if name and namespace in teams:
        return {"kind": "ServiceAccount", "namespace": namespace, "name": name}
    return {"apiGroup": ROLE_BINDINGS.group, "kind": "User", "name": email}


def _forbidden(call: Call, namespace: str) -> Problem:
    return Problem(
        403,
        "forbidden",
        f"{call.caller.email} may not say who is of team {namespace}. "
        "An administrator of the team can: role haikube-admin.",
    )
