"""Requests as the router tells them: what strangers send stays in its quotes."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from haikube.logs.request import address_of, host_of, is_of, router_line

TIME = "2026-01-01T00:00:01.5Z"
SERVED: dict[str, Any] = {
    "ClientHost": "192.0.2.7",
    "DownstreamContentSize": 54,
    "DownstreamStatus": 200,
    "OriginDuration": 12_345_678,
    "OriginStatus": 200,
    "Overhead": 1_999_999,
    "RequestHost": "Hello.localhost",
    "RequestMethod": "GET",
    "RequestPath": "/a",
    "ServiceAddr": "10.0.0.1:8080",
    "request_X-Request-Id": "abc-1",
}


def told(**changes: Any) -> str:
    return str(router_line({**SERVED, **changes}, TIME, "web.1"))


def test_a_request_that_a_dyno_served() -> None:
    assert told() == (
        "2026-01-01T00:00:01.500000+00:00 heroku[router]: at=info method=GET "
        'path="/a" host=hello.localhost request_id=abc-1 fwd="192.0.2.7" dyno=web.1 '
        "connect=1ms service=12ms status=200 bytes=54 protocol=http"
    )


def test_an_answer_that_broke_off_took_its_time_in_the_dyno() -> None:
    broken = {"OriginDuration": 0, "Overhead": 112_000_000, "Duration": 112_000_000}
    assert "connect=0ms service=112ms" in told(**broken)


def test_the_store_gives_numbers_as_texts() -> None:
    texts = {name: str(value) for name, value in SERVED.items()}
    assert str(router_line(texts, TIME, "web.1")) == told()


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"DownstreamStatus": 500}, None),
        ({"DownstreamStatus": 502}, None),
        ({"DownstreamStatus": 504, "OriginStatus": 0}, None),
        ({"DownstreamStatus": 503, "request_Haikube-Code": "H12"}, "H12"),
        ({"DownstreamStatus": 499, "request_Haikube-Code": "H27"}, "H27"),
        ({"DownstreamStatus": 500, "ServiceAddr": ""}, "H99"),
        ({"DownstreamStatus": 404, "ServiceAddr": ""}, None),
        ({"DownstreamStatus": 503, "request_Haikube-Code": "H12 at=info"}, None),
    ],
)
def test_what_no_dyno_answered_has_a_code(changes: dict[str, Any], code: str | None) -> None:
    line = told(**changes)
    found = re.search(r"code=(\S+)", line)
    assert (found and found[1]) == code
    assert (" at=error " in line) == (code is not None)


def test_a_timeout_reads_as_herokus() -> None:
    line = told(**{"DownstreamStatus": 503, "request_Haikube-Code": "H12"})
    assert 'at=error code=H12 desc="Request timeout" method=GET' in line
    assert "service=12ms status=503 bytes=54" in line


@pytest.mark.parametrize("code", ["H15", "H18"])
def test_an_answer_that_broke_off_is_no_success(code: str) -> None:
    assert "status=503" in told(**{"DownstreamStatus": 200, "request_Haikube-Code": code})


def test_a_websocket_switched_protocols() -> None:
    assert "at=info" in told(DownstreamStatus=0, OriginStatus=0)
    assert "status=101" in told(DownstreamStatus=0, OriginStatus=0)


LOOKED = "haikube-looks-5f1e"
REFUSED: dict[str, Any] = {
    "event": "refused",
    "at": "error",
    "code": "H80",
    "desc": "Maintenance mode",
    "method": "GET",
    "path": "/a",
    "host": "hello.localhost:8080",
    "request_id": "abc",
    "fwd": "192.0.2.7",
    "protocol": "http",
    "status": 503,
    "app": "hello",
    "namespace": "team",
}


def test_a_request_that_nobody_could_answer() -> None:
    assert str(router_line(REFUSED, TIME, "")) == (
        "2026-01-01T00:00:01.500000+00:00 heroku[router]: at=error code=H80 "
        'desc="Maintenance mode" method=GET path="/a" host=hello.localhost request_id=abc '
        'fwd="192.0.2.7" dyno= connect= service= status=503 bytes= protocol=http'
    )


@pytest.mark.parametrize(
    ("entry", "mine"),
    [
        (REFUSED, True),
        ({**REFUSED, "namespace": "other"}, False),
        ({**REFUSED, "app": "other"}, False),
        ({"RouterName": "httproute-team-hello-web-gw"}, True),
        ({"RouterName": "httproute-other-hello-web-gw"}, False),
        ({}, False),
        (
            {"RouterName": "httproute-team-a", "request_X-Request-Id": LOOKED, "RequestPath": "/"},
            False,
        ),
        (
            {"RouterName": "httproute-team-a", "request_X-Request-Id": LOOKED, "RequestPath": "/x"},
            True,
        ),
        ({**REFUSED, "request_id": LOOKED, "path": "/"}, False),
    ],
)
def test_whose_a_request_was(entry: dict[str, Any], mine: bool) -> None:  # noqa: FBT001 - a column
    assert is_of(entry, {"metadata": {"name": "hello", "namespace": "team"}}) is mine


@given(st.text(max_size=50), st.text(max_size=50))
def test_no_stranger_forges_a_field(path: str, host: str) -> None:
    line = told(RequestPath=path, RequestHost=host, RequestMethod=path)
    outside = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)

    assert line.isascii()
    assert line.isprintable()
    assert outside.count("status=") == 1
    assert outside.count("heroku[router]") == 1


@pytest.mark.parametrize("value", ["", None, "x"])
def test_numbers_that_are_none(value: Any) -> None:
    assert "bytes=0" in told(DownstreamContentSize=value)


def test_hosts_and_addresses() -> None:
    assert host_of(SERVED) == "hello.localhost"
    assert address_of(SERVED) == "10.0.0.1"
    assert (host_of({}), address_of({})) == ("", "")
