"""Logs and sessions when parts of the platform die under them: what a person sees, and no loss."""

from __future__ import annotations

import re
import signal
import time

import pytest

from heroku.network import Network
from heroku.person import Ada
from heroku.test_errors import profile
from heroku.test_terminal import Terminal, terminal
from terminal import GATEWAY, eventually

_SYSTEM = ("kubectl", "-n", "haikube-system")
_LOGS = ("kubectl", "-n", "haikube-logs")
_STORE = "deployment/haikube-log-store"
_COUNTED = re.compile(r"app\[run\.\d{4}\]:(?:\x1b\[\d+m)? tick (\d+)\r?\n")


@pytest.fixture
def app(ada: Ada) -> str:
    return ada.names["app"]


def kill_api(ada: Ada) -> None:
    """Kill the api as a lost node does; another one takes its place."""
    ada.must(
        *(*_SYSTEM, "delete", "pod", "-l", "app.kubernetes.io/name=haikube-api"),
        *("--grace-period=0", "--force"),
    )


def wait_for_api(ada: Ada) -> None:
    ada.must(*_SYSTEM, "rollout", "status", "deployment/haikube-api", "--timeout=120s")
    eventually(lambda: ada.run("heroku", "apps").code == 0, "the api", 60)


def tick(ada: Ada, count: int, seconds: float) -> None:
    """Let a one-off dyno print numbered lines."""
    loop = f"for i in $(seq {count}); do echo tick $i; sleep {seconds}; done"
    ada.must("heroku", "run:detached", "-a", ada.names["app"], loop)


def ticks(tail: Terminal, last: int) -> list[int]:
    """Return the numbers that a tail shows up to the last."""
    seen = ""
    end = time.monotonic() + 180
    while f"tick {last}\r\n" not in seen and time.monotonic() < end:
        seen += tail.expect(r"(?s).*tick \d+\r\n")[0]
    return [int(number) for number in _COUNTED.findall(seen)]


def test_a_tail_outlives_the_api_without_loss_or_repeat(ada: Ada, app: str) -> None:
    with terminal(ada, "logs", "--tail", "-a", app, "-s", "app", "-n", "1") as tail:
        tail.expect(r"app\[")
        tick(ada, 400, 0.05)
        first = ticks(tail, 50)
        kill_api(ada)
        assert first + ticks(tail, 400) == list(range(1, 401))
        tail.process.send_signal(signal.SIGINT)


def test_a_tail_outlives_the_network_of_its_bridge_without_loss_or_repeat(
    ada: Ada, app: str
) -> None:
    network = Network()
    with (
        network.running(),
        profile(ada, "net", api=f"http://api.localhost:{network.port}", token=_token(ada)) as env,
    ):
        elsewhere = Ada(ada.home, ada.environment | env, ada.names)
        with terminal(elsewhere, "logs", "--tail", "-a", app, "-s", "app", "-n", "1") as tail:
            tail.expect(r"app\[")
            tick(ada, 400, 0.05)
            first = ticks(tail, 50)
            network.cut()
            time.sleep(5)
            network.mend()
            assert first + ticks(tail, 400) == list(range(1, 401))


def test_a_tail_ends_with_the_token_of_who_asked_for_it(ada: Ada, app: str) -> None:
    ada.run("kubectl", "delete", "secret", "short-lived")
    ada.must("kubectl", "create", "secret", "generic", "short-lived")
    bound = ("--bound-object-kind=Secret", "--bound-object-name=short-lived")
    here = f"http://api.localhost:{GATEWAY[1]}"
    with profile(ada, "short", api=here, token=_token(ada, *bound)) as env:
        elsewhere = Ada(ada.home, ada.environment | env, ada.names)
        with terminal(elsewhere, "logs", "--tail", "-a", app) as tail:
            tail.expect(r"\]:")
            ada.must("kubectl", "delete", "secret", "short-lived")
            tail.expect("Log stream timed out. Please try again.", 120)
            assert tail.ended() == 1


def _token(ada: Ada, *bound: str) -> str:
    return ada.must("kubectl", "create", "token", "developer", *bound).strip()


def test_a_session_ends_with_a_line_and_a_code_when_the_api_dies(ada: Ada, app: str) -> None:
    with terminal(ada, "run", "-x", "-a", app, "bash --norc") as shell:
        shell.expect(r"\$ ")
        kill_api(ada)
        shell.expect(r"The session was lost: the platform went away")
        assert shell.ended() == 255
    wait_for_api(ada)


def test_a_session_ends_with_a_line_and_a_code_when_its_dyno_is_lost(ada: Ada, app: str) -> None:
    with terminal(ada, "run", "-x", "-a", app, "bash --norc") as shell:
        name = shell.expect(r"up, run\.(\d{4})")[1]
        shell.expect(r"\$ ")
        ada.must("kubectl", "delete", "pod", f"{app}-run-{name}", "--grace-period=0", "--force")
        shell.expect("The session was lost")
        assert shell.ended() == 255


def test_without_the_log_store_what_lives_is_shown(ada: Ada, app: str) -> None:
    ada.must(*_LOGS, "scale", _STORE, "--replicas=0")
    try:
        with terminal(ada, "logs", "--tail", "-a", app) as tail:
            tail.expect(r"heroku\[logplex\]:(\x1b\[\d+m)? The log store does not answer")
            tick(ada, 3, 0)
            assert ticks(tail, 3) == [1, 2, 3]
        said = ada.run("heroku", "logs", "-a", app)
        assert said.code == 0
        assert said.out.count("The log store does not answer") == 1
    finally:
        ada.must(*_LOGS, "scale", _STORE, "--replicas=1")
        ada.must(*_LOGS, "rollout", "status", _STORE, "--timeout=120s")
    eventually(
        lambda: "does not answer" not in ada.must("heroku", "logs", "-a", app), "the store", 60
    )


def test_a_full_log_store_shows_what_lives_and_takes_the_rest_later(ada: Ada, app: str) -> None:
    _keep_free(ada, "1TB")
    try:
        made = ada.must("heroku", "run:detached", "-a", app, "echo while it was full")
        assert made
        eventually(lambda: ada.logged("while it was full"), "it from the living", 60)
        time.sleep(5)  # so that the collector has tried
    finally:
        _keep_free(ada, "")
    pods = ada.must("kubectl", "get", "pods", "-l", f"haikube.dev/app={app}", "-o", "name").split()
    ended = [pod for pod in pods if "-run-" in pod]
    ada.must("kubectl", "delete", *ended, "--wait=true")
    eventually(lambda: ada.logged("while it was full"), "it from the store", 120)


def _keep_free(ada: Ada, size: str) -> None:
    """Let the store take nothing, as if its disk were full, or everything again."""
    name = "VL_storage_minFreeDiskSpaceBytes"
    ada.must(*_LOGS, "set", "env", _STORE, f"{name}={size}" if size else f"{name}-")
    ada.must(*_LOGS, "rollout", "status", _STORE, "--timeout=120s")
