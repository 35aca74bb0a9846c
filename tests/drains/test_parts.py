"""What is sent, what waits, whom a drain may reach."""

from __future__ import annotations

import pytest

from haikube.drains.buffer import Buffer
from haikube.drains.frames import logplex_body, syslog_frames
from haikube.drains.guard import Forbidden, Guard
from haikube.logs.line import Line
from haikube.model.drain import Drain, drain_data, parse_drains, url_problem

DRAIN = Drain("11111111-1111-1111-1111-111111111111", "https://u:p@logs.example.com/x", "d.1", "t")


def line(number: int, text: str = "x", *, source: str = "app", dyno: str = "web.1") -> Line:
    return Line(f"2026-01-01T00:00:{number:02}.000000000", source, dyno, text)


def test_logplex_framing() -> None:
    body = logplex_body([line(1, "grüße"), line(2, "up", source="heroku")])
    first = "<190>1 2026-01-01T00:00:01.000000+00:00 host app web.1 - grüße\n".encode()
    second = b"<45>1 2026-01-01T00:00:02.000000+00:00 host heroku web.1 - up\n"
    assert body == b"%d %s%d %s" % (len(first), first, len(second), second)


def test_syslog_names_the_drain_as_its_host() -> None:
    (frame,) = [syslog_frames([line(1, "at=info", source="heroku", dyno="router")], "d.1")]
    length, _, message = frame.partition(b" ")
    assert message == b"<158>1 2026-01-01T00:00:01.000000+00:00 d.1 heroku router - - at=info"
    assert int(length) == len(message)


def test_a_buffer_keeps_what_was_not_sent() -> None:
    buffer = Buffer("d.1")
    buffer.add(line(number) for number in range(5))
    batch = buffer.batch(3, 1000)
    assert buffer.batch(3, 1000) == batch
    buffer.sent(batch)
    assert [each.time[17:19] for each in buffer.batch(9, 1000)] == ["03", "04"]


def test_a_batch_is_bounded_but_never_empty() -> None:
    buffer = Buffer("d.1")
    buffer.add([line(1, "x" * 500), line(2, "x" * 500)])
    assert len(buffer.batch(9, 10)) == 1
    assert len(buffer.batch(9, 1000)) == 2


def test_a_full_buffer_drops_the_oldest_and_says_how_many() -> None:
    buffer = Buffer("d.1", lines=2)
    buffer.add(line(number) for number in range(5))
    told, *kept = buffer.batch(9, 1000)
    assert [each.time[17:19] for each in kept] == ["03", "04"]
    assert told.text == (
        "Error L10 (output buffer overflow): drain 'd.1' dropped 3 messages since "
        "2026-01-01T00:00:00.000000+00:00."
    )
    assert (told.source, told.dyno) == ("heroku", "logplex")
    buffer.sent([told, *kept])
    buffer.add([line(9)])
    assert [each.text for each in buffer.batch(9, 1000)] == ["x"]


def test_lines_dropped_while_a_batch_travels_are_not_forgotten_with_it() -> None:
    buffer = Buffer("d.1", lines=2)
    buffer.add([line(1), line(2)])
    batch = buffer.batch(9, 1000)
    buffer.add([line(3)])
    buffer.sent(batch)
    told, *kept = buffer.batch(9, 1000)
    assert "dropped 1 messages" in told.text
    assert [each.time[17:19] for each in kept] == ["03"]


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("10.1.2.3", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("::1", False),
        ("fd00::1", False),
        ("fe80::1%eth0", False),
        ("::ffff:10.0.0.1", False),
        ("224.0.0.1", False),
        ("192.168.7.7", True),
    ],
)
def test_whom_a_drain_may_reach(address: str, may: bool) -> None:  # noqa: FBT001 - a column
    assert Guard(["192.168.7.0/24"]).may(address) is may


async def test_a_name_is_resolved_to_what_may_be_reached() -> None:
    with pytest.raises(Forbidden):
        await Guard().resolve("localhost", 443)
    assert await Guard(["127.0.0.0/8"]).resolve("127.0.0.1", 443) == "127.0.0.1"


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        ("https://logs.example.com/x?y=1", True),
        ("syslog+tls://logs.example.com:6514", True),
        ("syslog+tls://logs.example.com", True),
        ("http://logs.example.com", False),
        ("syslog://logs.example.com:514", False),
        ("https://", False),
        ("https://x:99999", False),
        ("syslog+tls://logs.example.com/x", False),
        ("https://a b", False),
        ("", False),
    ],
)
def test_the_url_of_a_drain(url: str, fine: bool) -> None:  # noqa: FBT001 - a column
    assert (url_problem(url) == "") is fine


def test_a_secret_holds_drains_and_ignores_what_is_none() -> None:
    data = {**drain_data(DRAIN), "x": "eA==", "2" * 8 + DRAIN.id[8:]: "!"}
    assert parse_drains({"data": data}) == (DRAIN,)
    assert (DRAIN.host, DRAIN.port, DRAIN.scheme) == ("logs.example.com", 443, "https")
