"""A linter for statuses, after Flux's ``conditions/check``: run on every status a test sees."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haikube.model.conditions import NEGATIVE, OWNED

Object = Mapping[str, Any]

_RUN_TO_AN_END = frozenset({"Build", "Release", "Dyno"})
_MESSAGE_LIMIT = 4096


def assert_conditions_sane(obj: Object) -> None:
    """Raise unless the conditions of an object agree with each other and with kstatus."""
    status = obj.get("status") or {}
    generation = obj["metadata"].get("generation", 0)
    conditions = status.get("conditions", ())
    by_type = {each["type"]: each for each in conditions}

    assert len(by_type) == len(conditions), f"a type twice: {conditions}"
    assert set(by_type) <= set(OWNED[obj["kind"]]), f"not owned: {sorted(by_type)}"
    assert "Ready" in by_type, "Ready is always there"
    _agree(by_type)
    _generations(status, by_type, generation)
    _wording(by_type)
    if obj["kind"] in _RUN_TO_AN_END:
        assert by_type["Succeeded"]["status"] == by_type["Ready"]["status"]


def _agree(by_type: Mapping[str, Any]) -> None:
    ready = by_type["Ready"]["status"]
    for kind in NEGATIVE & set(by_type):
        assert by_type[kind]["status"] == "True", f"{kind} is absent when it is not True"
        assert ready != "True", f"Ready and {kind} are both True"
    assert not set(by_type) >= NEGATIVE, "Reconciling and Stalled are both there"
    if ready == "Unknown":
        assert "Reconciling" in by_type, "Ready is Unknown, but nothing is under way"


def _generations(status: Object, by_type: Mapping[str, Any], generation: int) -> None:
    observed = {each["observedGeneration"] for each in by_type.values()}
    assert all(each <= generation for each in observed), "a generation that is not there yet"
    assert status["observedGeneration"] <= generation
    if by_type["Ready"]["status"] == "True":
        assert observed == {status["observedGeneration"]} == {generation}


def _wording(by_type: Mapping[str, Any]) -> None:
    for each in by_type.values():
        assert each["reason"].isalnum(), f"no CamelCase reason: {each}"
        assert each["reason"][0].isupper(), f"no CamelCase reason: {each}"
        assert each["message"], f"no message: {each}"
        assert len(each["message"]) <= _MESSAGE_LIMIT
        assert each["lastTransitionTime"].endswith("Z")
