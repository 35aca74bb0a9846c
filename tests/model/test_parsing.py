"""What is absent from an object is empty, and nothing raises."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import builders as b
import haikube.model
from haikube.model.app import parse_app
from haikube.model.build import parse_build
from haikube.model.deployment import parse_deployment
from haikube.model.dyno import parse_dyno
from haikube.model.formation import parse_formation
from haikube.model.job import parse_job
from haikube.model.meta import parse_meta
from haikube.model.pod import parse_pod
from haikube.model.release import current, latest, parse_release
from haikube.model.route import parse_route
from haikube.model.secret import parse_secret
from haikube.model.stack import parse_stack

PARSERS = [
    parse_app,
    parse_build,
    parse_deployment,
    parse_dyno,
    parse_formation,
    parse_job,
    parse_meta,
    parse_pod,
    parse_release,
    parse_route,
    parse_secret,
    parse_stack,
]
MODULES = [
    f"{package}.{each.name}"
    for package in ("haikube.model", "haikube.plan", "haikube.render", "haikube.operator")
    for each in pkgutil.iter_modules(importlib.import_module(package).__path__)
    if not each.name.startswith("__")
]


@pytest.mark.parametrize("parse", PARSERS, ids=lambda parse: parse.__name__)
@pytest.mark.parametrize("obj", [{}, {"metadata": {}, "spec": {}, "status": {}}, {"spec": None}])
def test_an_empty_object_can_be_parsed(parse: object, obj: b.Raw) -> None:
    assert callable(parse)
    assert parse(obj) is not None


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0


def test_the_controller_is_the_owner_that_counts() -> None:
    owners = [{"uid": "a"}, {"uid": "b", "controller": True}]

    assert parse_meta({"metadata": {"ownerReferences": owners}}).controller == "b"


def test_a_secret_does_not_print_its_data() -> None:
    assert "c2VjcmV0" not in repr(parse_secret(b.secret("x", {"A": "secret"})))


def test_a_long_termination_message_is_cut() -> None:
    ended = parse_pod(b.pod("p", state=b.ended(0, "x" * 9999))).ended

    assert ended is not None
    assert len(ended.message) == 4096


def test_latest_and_current_differ_after_a_failure() -> None:
    releases = [parse_release(b.release(1)), parse_release(b.release(2, result="Failed"))]

    assert (latest(releases), current(releases)) == (releases[1], releases[0])
    assert latest([]) is None


def test_the_model_is_all_there() -> None:
    assert haikube.model.__doc__
