"""What can be read off the CRD files alone: nothing undescribed, unbounded or unknown."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml

from crds import schema
from haikube.model.conditions import MESSAGE_LIMIT
from haikube.model.resources import GROUP, OWN_KINDS, VERSION, Resource

FIELDS = schema.fields()
COLUMNS = {
    "App": ["Ready", "Release", "Web", "URL", "Age", "Message"],
    "Build": ["App", "Result", "Stack", "Duration", "Release", "Age", "Message"],
    "Release": ["App", "Version", "Description", "Current", "Age", "Message"],
    "Formation": ["App", "Type", "Quantity", "Ready", "Release", "Age", "Message"],
    "Dyno": ["App", "State", "Exit", "Age", "Message"],
    "Stack": ["Alias", "Apps", "Deprecated", "Age", "Run Image", "Build Image"],
}
SELECTABLE = {
    "App": [],
    "Build": [".spec.appRef.name", ".status.result"],
    "Release": [".spec.appRef.name"],
    "Formation": [".spec.appRef.name", ".spec.processType"],
    "Dyno": [".spec.appRef.name", ".status.state"],
    "Stack": [],
}


every_kind = pytest.mark.parametrize("resource", OWN_KINDS, ids=lambda each: each.kind)


def crd_of(resource: Resource) -> dict[str, Any]:
    return schema.load(resource.plural)


def test_the_kustomization_holds_every_crd() -> None:
    listed = yaml.safe_load((schema.CRDS / "kustomization.yaml").read_text())["resources"]

    assert listed == [f"{name}.yaml" for name in schema.names()]


@every_kind
def test_a_kind_lives_where_the_code_looks_for_it(resource: Resource) -> None:
    crd = crd_of(resource)

    assert crd["metadata"]["name"] == f"{resource.plural}.{GROUP}"
    assert crd["spec"]["names"]["kind"] == resource.kind
    assert crd["spec"]["scope"] == ("Namespaced" if resource.namespaced else "Cluster")
    assert schema.version(crd)["name"] == VERSION


def paths(offends: Callable[[dict[str, Any]], bool]) -> list[str]:
    """Return the paths of the fields that offend."""
    return [field.path for field in FIELDS if offends(field.schema)]


def rules() -> Iterator[tuple[str, dict[str, Any]]]:
    for field in FIELDS:
        for rule in field.schema.get("x-kubernetes-validations", ()):
            yield field.path, rule


def test_every_field_is_described_in_sentences() -> None:
    sentence = re.compile(r"[A-Z0-9].*[.]", re.DOTALL)

    assert paths(lambda each: not sentence.fullmatch(each.get("description", ""))) == []


def test_every_string_is_bounded() -> None:
    def unbounded(field: dict[str, Any]) -> bool:
        fixed = "enum" in field or field.get("format") == "date-time"
        return field.get("type") == "string" and not fixed and "maxLength" not in field

    assert paths(unbounded) == []


def test_every_list_is_bounded_and_says_how_it_is_merged() -> None:
    merges = {"map", "set", "atomic"}

    assert (
        paths(
            lambda each: (
                each.get("type") == "array"
                and not ("maxItems" in each and each.get("x-kubernetes-list-type") in merges)
            )
        )
        == []
    )


def test_the_keys_of_a_list_are_required() -> None:
    def loose(field: dict[str, Any]) -> bool:
        keys = set(field.get("x-kubernetes-list-map-keys", ()))
        return not keys <= set(field.get("items", {}).get("required", ()))

    assert paths(loose) == []


def test_nothing_unknown_is_kept_and_nothing_is_a_float() -> None:
    open_ended = {"x-kubernetes-preserve-unknown-fields", "additionalProperties"}

    assert paths(lambda each: bool(open_ended & set(each))) == []
    assert paths(lambda each: each.get("type") == "number") == []


def test_enums_are_camel_case() -> None:
    camel = re.compile(r"[A-Z][A-Za-z]*")

    assert paths(lambda each: not all(map(camel.fullmatch, each.get("enum", ())))) == []


def test_every_rule_says_what_is_wrong() -> None:
    silent = [
        path
        for path, rule in rules()
        if not rule["reason"].startswith("FieldValue")
        or not {"message", "messageExpression"} & set(rule)
    ]

    assert silent == []


@every_kind
def test_a_new_object_reads_as_unseen(resource: Resource) -> None:
    status = schema.child(schema.root(crd_of(resource)), "status")

    assert status["default"] == {"observedGeneration": -1}
    assert schema.version(crd_of(resource))["subresources"]["status"] == {}


@every_kind
def test_conditions_have_room_for_what_the_plans_write(resource: Resource) -> None:
    conditions = schema.child(schema.root(crd_of(resource)), "status.conditions")

    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    assert conditions["items"]["properties"]["message"]["maxLength"] >= MESSAGE_LIMIT


@every_kind
def test_columns_answer_the_first_question(resource: Resource) -> None:
    columns = schema.version(crd_of(resource))["additionalPrinterColumns"]

    assert [each["name"] for each in columns] == COLUMNS[resource.kind]
    for column in columns:
        if match := re.fullmatch(r"[.]((?:spec|status)[.][A-Za-z.]+)", column["jsonPath"]):
            found = schema.child(schema.root(crd_of(resource)), match[1])
            assert found["type"] == column["type"], column["name"]


@every_kind
def test_lists_can_be_selected_by_field(resource: Resource) -> None:
    selectable = schema.version(crd_of(resource)).get("selectableFields", [])

    assert [each["jsonPath"] for each in selectable] == SELECTABLE[resource.kind]


@every_kind
def test_every_kind_is_in_the_category(resource: Resource) -> None:
    categories = crd_of(resource)["spec"]["names"]["categories"]

    assert categories == ["haikube"]


@every_kind
def test_short_names_are_nobody_elses(resource: Resource) -> None:
    """``app`` is Argo CD's, and one word is soon somebody's; ours begin alike."""
    assert [each[:2] for each in crd_of(resource)["spec"]["names"]["shortNames"]] == ["hk"]


def test_a_formation_can_be_scaled() -> None:
    assert schema.version(schema.load("formations"))["subresources"]["scale"] == {
        "specReplicasPath": ".spec.quantity",
        "statusReplicasPath": ".status.replicas",
        "labelSelectorPath": ".status.selector",
    }


def test_lines_fit_on_a_screen() -> None:
    long = [
        f"{path.name}:{number}"
        for path in schema.CRDS.glob("*.yaml")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if len(line) > 100
    ]

    assert long == []
