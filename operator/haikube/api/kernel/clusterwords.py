"""What the cluster refuses, in the words of a person: a right that is missing, a full quota."""

from __future__ import annotations

import re
from typing import Final

from haikube.api.kernel.identity import shown_user

_EXCEEDED: Final = re.compile(
    r"exceeded quota: (?P<quota>[^,]+), requested: (?P<requested>\S+?), "
    r"used: (?P<used>\S+?), limited: (?P<limited>\S+)"
)
_COUNT: Final = re.compile(r"(?:count/)?(?P<what>[\w.-]+?)(?:\.haikube\.dev)?=(?P<number>[\w.]+)")
_MISSING: Final = re.compile(
    r'User "(?P<who>[^"]+)" cannot (?P<verb>\w+) resource "(?P<what>[^"]+)"'
    r'.*? in the namespace "(?P<team>[^"]+)"'
)


def forbidden_words(message: str) -> str:
    """Return a refusal of the cluster with the remedy; what is about another thing as it is.

    >>> forbidden_words('apps.haikube.dev "x" is forbidden: User "ada@example.com" cannot patch '
    ...                 'resource "apps" in API group "haikube.dev" in the namespace "shop"')
    'ada@example.com may not patch apps in team shop. Ask its owner for a role that allows it.'
    """
    found = _MISSING.search(message)
    if found is None:
        return message
    who = shown_user(found["who"])
    return (
        f"{who} may not {found['verb']} {found['what']} in team {found['team']}. "
        "Ask its owner for a role that allows it."
    )


def quota_words(message: str) -> str:
    """Return what a cluster's refusal says of a full quota, empty when it is about another thing.

    >>> quota_words('apps.haikube.dev "x" is forbidden: exceeded quota: haikube, requested: '
    ...             'count/apps.haikube.dev=1, used: count/apps.haikube.dev=50, '
    ...             'limited: count/apps.haikube.dev=50')
    "The team's quota is full: apps 50 of 50. Delete some that nobody needs, or ask whoever runs \
the platform for more."
    """
    found = _EXCEEDED.search(message)
    if found is None:
        return ""
    used, limited = (_counts(found[each]) for each in ("used", "limited"))
    told = ", ".join(f"{what} {used.get(what, '?')} of {most}" for what, most in limited.items())
    return (
        f"The team's quota is full: {told}. Delete some that nobody needs, or ask whoever runs "
        "the platform for more."
    )


def _counts(text: str) -> dict[str, str]:
    return {each["what"]: each["number"] for each in _COUNT.finditer(text)}
