from __future__ import annotations

import pytest

from haikube.local.options import LocalOptions, ProviderName
from haikube.local.provider import choose_provider


@pytest.mark.parametrize(
    ("wanted", "recorded", "docker", "chosen"),
    [
        ("auto", "", "runs", "kind"),
        ("auto", "", "", "native"),
        ("auto", "native", "runs", "native"),
        ("auto", "kind", "", "kind"),
        ("native", "kind", "runs", "native"),
        ("kind", "", "", "kind"),
    ],
)
def test_a_setting_wins_then_what_runs_then_what_works(
    wanted: ProviderName,
    recorded: str,
    docker: str,
    chosen: str,
) -> None:
    assert choose_provider(wanted, recorded, lambda: docker != "") == chosen


def test_docker_is_not_tried_where_the_answer_is_known() -> None:
    def tried() -> bool:
        pytest.fail("Docker was tried")

    assert choose_provider("auto", "native", tried) == "native"


@pytest.mark.parametrize("name", ["HAIKUBE_LOCAL_BUILD_ENV", "HAIKUBE_BUILD_ENV"])
def test_options_are_read_from_the_environment(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAIKUBE_LOCAL_PROVIDER", "kind")
    monkeypatch.setenv("HAIKUBE_LOCAL_HTTP_PORT", "9080")
    monkeypatch.setenv(name, '{"A": "b"}')

    options = LocalOptions()
    assert (options.provider, options.http_port, options.build_env) == ("kind", 9080, '{"A": "b"}')
