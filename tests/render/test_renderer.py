"""Templates: no value can break out of its place, and none is interpolated bare."""

from __future__ import annotations

import re
from typing import Any

import jinja2
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from haikube.render.renderer import TEMPLATES, Renderer, Slots, environment, plain

INTERPOLATION = re.compile(r"\{\{(.*?)\}\}", re.DOTALL)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
)


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.j2")), ids=lambda path: path.name)
def test_every_interpolation_goes_through_tojson(path: Any) -> None:
    for found in INTERPOLATION.findall(path.read_text("utf-8")):
        assert found.strip().endswith("| tojson"), f"{path.name}: {{{{{found}}}}}"


@pytest.mark.parametrize("path", sorted(TEMPLATES.glob("*.j2")), ids=lambda path: path.name)
def test_templates_hold_no_logic_but_conditions(path: Any) -> None:
    tags = re.findall(r"\{%-?\s*(\w+)", path.read_text("utf-8"))

    assert set(tags) <= {"if", "endif"}


@given(VALUES, TEXTS)
def test_any_value_comes_back_as_it_was(value: Any, key: str) -> None:
    slots = Slots()
    text = f"a: {slots.mark(value)}\n{slots.mark(key)}: [{slots.mark(value)}, 1]\n"

    assert slots.filled(yaml.load(text, Loader=yaml.CSafeLoader)) == {"a": value, key: [value, 1]}


def test_a_value_may_be_part_of_a_text() -> None:
    slots = Slots()

    assert slots.filled(f"a-{slots.mark(1)}-{slots.mark('b: c')}") == "a-1-b: c"


def test_a_lone_surrogate_is_replaced() -> None:
    assert plain({"a": ("a\ud800b",)}) == {"a": ["a\ufffdb"]}


def test_yaml_is_read_once_for_all_values(monkeypatch: pytest.MonkeyPatch) -> None:
    render = Renderer()
    render("service", {"metadata": {"name": "x"}, "selector": {}})
    monkeypatch.delattr(yaml, "load")
    found = render("service", {"metadata": {"name": "y: z"}, "selector": {"a": "b"}})

    assert found["metadata"] == {"name": "y: z"}
    assert found["spec"]["selector"] == {"a": "b"}


def test_a_forgotten_value_is_an_error() -> None:
    with pytest.raises(jinja2.UndefinedError):
        Renderer()("service", {"metadata": {}})


def test_an_unknown_variable_is_strict() -> None:
    assert environment(Slots()).undefined is jinja2.StrictUndefined


def test_the_same_input_is_rendered_once() -> None:
    render = Renderer()
    values = {"metadata": {"name": "x"}, "selector": {"a": "b"}}

    assert render("service", values) is render("service", dict(values))
    assert render("service", {**values, "selector": {}}) is not render("service", values)


def test_a_platform_team_may_bring_its_own_templates(tmp_path: Any) -> None:
    (tmp_path / "service.yaml.j2").write_text("kind: {{ kind | tojson }}\n", "utf-8")

    assert Renderer(tmp_path)("service", {"kind": "x: y"}) == {"kind": "x: y"}
