"""Checks requests against Heroku's published schema, and in tests the answers, too."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import Any, Final

from jsonschema import Draft4Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry
from referencing.jsonschema import DRAFT4

from haikube.api.contract.deviations import DEVIATIONS
from haikube.api.kernel.problems import invalid

_URI: Final = "urn:heroku"
_PARAMETER: Final = re.compile(r"\{[^}]*\}")
_LONGEST: Final = 200


class Contract:
    """The schema of every published endpoint; ``audit`` collects answers that do not keep it."""

    def __init__(self, *, audit: bool = False) -> None:
        self._audit = audit
        self.faults: list[str] = []

    def check_request(self, method: str, path: str, body: object) -> None:
        """Raise a 422 ``Problem`` that names the field which the schema does not take."""
        validators = _validators().get(("schema", method, _shape(path)), [])
        errors = [best_match(each.iter_errors(body)) for each in validators]
        if errors and all(errors) and (error := errors[0]):
            raise invalid(_words(error))

    def check_answer(self, method: str, path: str, answer: object) -> None:
        """Note an answer that the schema does not describe."""
        if not self._audit:
            return
        for each in _validators().get(("targetSchema", method, _shape(path)), []):
            for error in each.iter_errors(answer):
                self.faults.append(f"{method} {path}: {_words(error)}")


def _words(error: ValidationError) -> str:
    place = error.json_path.removeprefix("$").removeprefix(".")
    said = error.message[:_LONGEST]
    return f"{place}: {said}." if place else f"{said[:1].upper()}{said[1:]}."


def _shape(path: str) -> str:
    """Return a path with nothing in the place of its parameters."""
    return _PARAMETER.sub("{}", path)


Key = tuple[str, str, str]


@cache
def _validators() -> Mapping[Key, list[Draft4Validator]]:
    """Return all validators: what is checked, method and shape of the path to the schemas."""
    definitions = _definitions()
    registry: Registry[Any] = Registry().with_resource(
        _URI, DRAFT4.create_resource({"definitions": definitions})
    )
    found: dict[Key, list[Draft4Validator]] = {}
    for key, pointer in _pointers(definitions):
        schema = {"$ref": f"{_URI}#{pointer}"}
        found.setdefault(key, []).append(Draft4Validator(schema, registry=registry))
    return found


def _pointers(definitions: Mapping[str, Any]) -> Iterator[tuple[Key, str]]:
    for name, definition in definitions.items():
        for number, link in enumerate(definition.get("links") or ()):
            for kind in ("schema", "targetSchema"):
                if kind in link:
                    key = (kind, link["method"], _shape(link["href"]))
                    yield key, f"/definitions/{name}/links/{number}/{kind}"


def _definitions() -> dict[str, Any]:
    text = resources.files("haikube.api.contract").joinpath("schema.json").read_text()
    definitions: dict[str, Any] = json.loads(text)["definitions"]
    for place, instead, _ in DEVIATIONS:
        _replace(definitions, place.split("/"), instead)
    return definitions


def _replace(tree: Any, steps: list[str], instead: object) -> None:  # noqa: ANN401 - any JSON
    *way, last = steps
    for step in way:
        tree = tree[int(step)] if isinstance(tree, list) else tree.setdefault(step, {})
    if instead is None:
        del tree[last]
    else:
        tree[last] = instead
