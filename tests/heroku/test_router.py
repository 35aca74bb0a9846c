"""What the router says of a visitor's request in `heroku logs`, as Heroku's does."""

from __future__ import annotations

import http.client
import re
import secrets

import pytest

from heroku.person import Ada
from terminal import GATEWAY, eventually


def visit(ada: Ada, path: str) -> tuple[int, str]:
    """Return status and body."""
    connection = http.client.HTTPConnection(*GATEWAY, timeout=60)
    try:
        connection.request("GET", path, headers={"Host": f"{ada.names['app']}.localhost"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def told(ada: Ada, path: str) -> str:
    """Return the router's line about a path, once it is there."""

    def look() -> str:
        said = ada.must("heroku", "logs", "-a", ada.names["app"], "-d", "router", "-n", "1500")
        return next((line for line in said.splitlines() if f'path="{path}"' in line), "")

    return eventually(look, f"the line about {path}", 60)


def line(outcome: str, path: str, place: str, end: str) -> str:
    return (
        rf"\S+ heroku\[router\]: {outcome} method=GET path=\"{path}\" host=\S+\.localhost "
        rf"request_id=[0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}"
        rf" fwd=\"[\d.]+\" {place} {end}"
    )


@pytest.mark.parametrize(
    ("stem", "status", "outcome"),
    [
        ("/here", 200, "at=info"),
        ("/late", 503, 'at=error code=H12 desc="Request timeout"'),
        ("/die", 503, 'at=error code=H13 desc="Connection closed without response"'),
    ],
)
def test_a_request_to_a_dyno(ada: Ada, stem: str, status: int, outcome: str) -> None:
    path = f"{stem}/{secrets.token_hex(4)}"
    found, text = visit(ada, f"{path}?secret=1")
    assert found == status
    assert ("<h1>Application error</h1>" in text) == (status == 503)
    place = r"dyno=web\.1 connect=\d+ms service=\d+ms"
    end = rf"status={status} bytes=\d+ protocol=http"
    assert re.fullmatch(line(outcome, path, place, end), told(ada, path)), told(ada, path)


@pytest.mark.parametrize(
    ("closing", "opening", "code", "words"),
    [
        ("maintenance:on", "maintenance:off", "H80", "Maintenance mode"),
        ("ps:scale web=0", "ps:scale web=1", "H14", "No web processes running"),
    ],
)
def test_a_request_that_no_dyno_gets(
    ada: Ada, closing: str, opening: str, code: str, words: str
) -> None:
    path = f"/closed/{secrets.token_hex(4)}"
    ada.must("heroku", *closing.split(), "-a", ada.names["app"])
    try:
        eventually(lambda: code in visit(ada, "/")[1], "the page of a closed app", 60)
        assert visit(ada, path)[0] == 503
    finally:
        ada.must("heroku", *opening.split(), "-a", ada.names["app"])
    end = "status=503 bytes= protocol=http"
    outcome = f'at=error code={code} desc="{words}"'
    pattern = line(outcome, path, "dyno= connect= service=", end)
    assert re.fullmatch(pattern, told(ada, path)), told(ada, path)
    eventually(lambda: visit(ada, "/")[0] == 200, "the open app", 60)
