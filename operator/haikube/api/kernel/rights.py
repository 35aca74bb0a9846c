"""What a caller may do in a namespace, as the cluster's own authorizers say.

One rules review per caller and namespace, made with the caller's token and kept for seconds. A
right that the rules do not show is asked for by itself, since some authorizers list none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any, Final

from haikube.api.kernel.auth import Caller
from haikube.api.kernel.problems import Problem
from haikube.model.resources import ACCESS_REVIEWS, RULES_REVIEWS, Resource

_SECONDS: Final = 5.0
_MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Right:
    """One act on one kind of object, perhaps on one object alone."""

    verb: str
    resource: Resource
    name: str = ""

    def __str__(self) -> str:
        """Return it in words for a refusal."""
        return f"{self.verb} {self.resource.plural}"


class Rights:
    """Asks and remembers; one per process."""

    def __init__(self) -> None:
        self._rules: dict[tuple[str, str], tuple[float, list[Mapping[str, Any]]]] = {}
        self._answers: dict[tuple[str, str, Right], tuple[float, bool]] = {}

    async def may(self, caller: Caller, right: Right, namespace: str) -> bool:
        """Tell whether a caller may do this in a namespace."""
        rules = await self._known_rules(caller, namespace)
        return any(_allows(rule, right) for rule in rules) or await self._asked(
            caller, right, namespace
        )

    async def may_everywhere(self, caller: Caller, right: Right) -> bool:
        """Tell whether a caller may do this in every namespace."""
        return await self._asked(caller, right, "")

    async def require(self, caller: Caller, right: Right, namespace: str) -> None:
        """Raise a 403 ``Problem`` when a caller may not do this."""
        if not await self.may(caller, right, namespace):
            raise Problem(
                403,
                "forbidden",
                f"{caller.email} may not {right} in team {namespace}. "
                "Ask its owner for a role that allows it.",
            )

    async def _known_rules(self, caller: Caller, namespace: str) -> list[Mapping[str, Any]]:
        key = (caller.key, namespace)
        known = self._rules.get(key)
        if known is None or known[0] < monotonic():
            review = await caller.cluster.create(
                RULES_REVIEWS, _review(RULES_REVIEWS, {"namespace": namespace})
            )
            rules = (review.get("status") or {}).get("resourceRules") or []
            known = (monotonic() + _SECONDS, rules)
            _remember(self._rules, key, known)
        return known[1]

    async def _asked(self, caller: Caller, right: Right, namespace: str) -> bool:
        key = (caller.key, namespace, right)
        known = self._answers.get(key)
        if known is None or known[0] < monotonic():
            wish = {"resourceAttributes": _attributes(right, namespace)}
            review = await caller.cluster.create(ACCESS_REVIEWS, _review(ACCESS_REVIEWS, wish))
            known = (monotonic() + _SECONDS, bool((review.get("status") or {}).get("allowed")))
            _remember(self._answers, key, known)
        return known[1]


def _remember(cache: dict[Any, Any], key: object, value: object) -> None:
    if len(cache) >= _MOST:
        cache.clear()
    cache[key] = value


def _review(resource: Resource, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": {},
        "spec": spec,
    }


def _attributes(right: Right, namespace: str) -> dict[str, str]:
    plural, _, subresource = right.resource.plural.partition("/")
    wish = {
        "namespace": namespace,
        "verb": right.verb,
        "group": right.resource.group,
        "resource": plural,
        "subresource": subresource,
        "name": right.name,
    }
    return {key: value for key, value in wish.items() if value}


def _allows(rule: Mapping[str, Any], right: Right) -> bool:
    names = rule.get("resourceNames") or ()
    return (
        _has(rule.get("verbs"), right.verb)
        and _has(rule.get("apiGroups"), right.resource.group)
        and _has(rule.get("resources"), right.resource.plural)
        and (not names or right.name in names)
    )


def _has(listed: list[str] | None, wanted: str) -> bool:
    return listed is not None and ("*" in listed or wanted in listed)
