"""Dyno sizes: Heroku's, a site's own, and what a dyno gets of them."""

from __future__ import annotations

from typing import Any

import pytest

import builders as b
from haikube.plan.sizes import dyno_sizes, find_size
from haikube.settings import Settings
from stage import plan

BASE = (b.app(), b.stack(), b.release())
HEROKU = {
    "Eco": 512,
    "Basic": 512,
    "Standard-1X": 512,
    "Standard-2X": 1024,
    "Performance-M": 2560,
    "Performance-L": 14 * 1024,
    "Performance-L-RAM": 30 * 1024,
    "Performance-XL": 62 * 1024,
    "Performance-2XL": 126 * 1024,
}


def test_the_sizes_are_herokus_in_name_and_memory() -> None:
    assert {each.name: each.megabytes for each in dyno_sizes(Settings())} == HEROKU


@pytest.mark.parametrize("name", [*HEROKU, *map(str.lower, HEROKU), *map(str.upper, HEROKU)])
def test_a_size_is_known_in_any_case(name: str) -> None:
    found = find_size(name, Settings())
    assert found is not None
    assert found.key == name.lower()


def test_a_site_changes_single_values_and_adds_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    text = '{"Standard-2X": {"cpuRequest": "1"}, "gpu": {"nodeSelector": {"pool": "gpu"}}}'
    monkeypatch.setenv("HAIKUBE_DYNO_SIZES", text)
    double, own = (find_size(name, Settings()) for name in ("standard-2x", "GPU"))

    assert double
    assert own
    assert (double.name, double.memory, double.cpu_request) == ("Standard-2X", "1Gi", "1")
    assert (own.name, own.memory, own.node_selector) == ("gpu", "512Mi", {"pool": "gpu"})


def pod_of(row: Any, words: str) -> Any:
    body = row.body(words)
    return body["spec"]["template"]["spec"] if "Deployment" in words else body["spec"]


@pytest.mark.parametrize(
    ("obj", "words"),
    [
        (b.formation("worker", size="Performance-M"), "apply Deployment hello-worker"),
        (b.dyno(command=["x"], size="performance-m"), "create Pod run-1"),
    ],
)
async def test_a_dyno_gets_what_its_size_means(obj: b.Raw, words: str) -> None:
    chosen = {"performance-m": {"nodeSelector": {"pool": "large"}}}
    pod = pod_of(await plan(obj, *BASE, dyno_sizes=chosen), words)
    (container,) = pod["containers"]
    told = {each["name"]: each.get("value") for each in container["env"]}

    assert pod["nodeSelector"] == {"pool": "large"}
    assert container["resources"] == {
        "requests": {"cpu": "500m", "memory": "2560Mi"},
        "limits": {"cpu": "2", "memory": "2560Mi"},
    }
    assert told["MEMORY_AVAILABLE"] == "2560"


@pytest.mark.parametrize("obj", [b.formation(size="huge"), b.dyno(command=["x"], size="huge")])
async def test_an_unknown_size_is_named_with_those_there_are(obj: b.Raw) -> None:
    row = await plan(obj, *BASE)
    (told,) = (each for each in row.status["conditions"] if each["type"] == "Stalled")

    assert told["reason"] == "UnknownSize"
    assert told["message"].startswith("there is no size huge; use one of eco, basic, standard-1x,")
    assert told["message"].endswith("performance-xl, performance-2xl")


def test_a_build_is_worth_no_more_to_a_busy_node_than_the_smallest_dyno() -> None:
    """Cores that are short are shared by requests: what serves must not starve beside a build."""
    settings = Settings()
    asked = {each.cpu_request for each in dyno_sizes(settings) if each.cpu_request.endswith("m")}
    assert _millicores(settings.build_cpu_request) <= min(map(_millicores, asked))


def _millicores(quantity: str) -> int:
    return int(quantity.removesuffix("m"))
