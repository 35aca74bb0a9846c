"""The mark on what we applied: digests by which it is known again, kept in one annotation.

An object whose pods must not be replaced without a reason of their own has a *revision*: a digest
of what its pods are made of, beside those of its template and of the rest of it. While the
revision is the same, another template only means that a newer process of ours writes it otherwise.
Then the template stays as it is, and only the rest is kept up to date.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from haikube.model.digest import digest
from haikube.model.intents import Apply

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Mark:
    """Digests of what is wanted; revision and template are empty for what has no pods."""

    rest: str
    template: str = ""
    revision: str = ""

    def __str__(self) -> str:
        """Return it as the annotation holds it."""
        return ".".join(part for part in (self.rest, self.template, self.revision) if part)

    def same_pods(self, other: Mark) -> bool:
        """Return whether the pods are made of the same, though they may be written otherwise."""
        return bool(self.revision) and self.revision == other.revision


def mark_of(write: Apply) -> Mark:
    """Return the mark of what is wanted."""
    if not write.revision:
        return Mark(digest(write.body))
    template = write.body["spec"]["template"]
    return Mark(digest(without_template(write.body)), digest(template), write.revision)


def parse_mark(text: str) -> Mark:
    """Return the mark that an annotation holds."""
    return Mark(*(text.split(".", 2)))


def without_template(body: Object) -> dict[str, Any]:
    """Return an object without the template of its pods."""
    spec = {key: value for key, value in body["spec"].items() if key != "template"}
    return {**body, "spec": spec}


def with_template(body: Object, template: Object) -> dict[str, Any]:
    """Return an object with another template of its pods."""
    return {**body, "spec": {**body["spec"], "template": template}}
