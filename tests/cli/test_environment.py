"""The variables: right for every shell, and whatever is set already."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bridge.local import a_login
from haikube.bridge.authority import ensure
from haikube.bridge.profile import config_dir, now
from haikube.cli import environment
from haikube.cli.main import main

LOGIN = replace(a_login("https://api.example.com"), port=7007)
ODD = 'it\'s \\ a "$HOME" `x` \n value'


@pytest.mark.parametrize(
    ("shell", "words"),
    [
        ("bash", environment._posix),
        ("zsh", environment._posix),
        ("sh", environment._posix),
        ("fish", environment._fish),
    ],
)
def test_values_survive_the_shell(shell: str, words: environment.Words) -> None:
    if shutil.which(shell) is None:
        shell = "sh" if shell == "zsh" else shell
    if shutil.which(shell) is None:  # fish: its quoting has two escapes, checked by hand
        assert words("A", "it's \\") == "set --global --export A 'it\\'s \\\\'"
        return
    script = f'{words("ODD", ODD)}\n{words("GONE", None)}\nprintf %s "$ODD"'
    done = subprocess.run([shell, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == ODD


def test_everything_leads_to_the_bridge() -> None:
    said = environment.variables(LOGIN, "default", {})
    assert said["HEROKU_HOST"] == "http://localhost:7007"
    assert said["HEROKU_PARTICLEBOARD_URL"] == said["HEROKU_HOST"]
    assert said["HEROKU_NETRC_WRITE"] == "true"
    assert "HEROKU_API_KEY" not in said
    assert "NO_PROXY" not in said
    assert "HAIKUBE_PROFILE" not in said
    assert environment.variables(LOGIN, "work", {})["HAIKUBE_PROFILE"] == "work"


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("", "localhost,127.0.0.1"),
        ("corp.example", "corp.example,localhost,127.0.0.1"),
        ("localhost,127.0.0.1", "localhost,127.0.0.1"),
    ],
)
def test_a_proxy_is_kept_out_of_the_way(given: str, wanted: str) -> None:
    said = environment.variables(LOGIN, "default", {"https_proxy": "http://p:1", "NO_PROXY": given})
    assert (said["NO_PROXY"], said["no_proxy"]) == (wanted, wanted)


@pytest.mark.parametrize("name", ["NODE_EXTRA_CA_CERTS", "GIT_SSL_CAINFO"])
def test_an_authority_that_is_trusted_already_stays_trusted(tmp_path: Path, name: str) -> None:
    ensure(now())
    ours = config_dir() / "tls" / "ca.pem"
    corporate = tmp_path / "corporate.pem"
    corporate.write_text("-----CORPORATE-----\n")

    first = environment.variables(LOGIN, "default", {})
    assert first["NODE_EXTRA_CA_CERTS"] == str(ours)
    assert "GIT_SSL_CAINFO" not in first, "git's configuration names it"
    both = environment.variables(LOGIN, "default", {name: str(corporate)})
    bundle = Path(both[name])
    assert "CORPORATE" in bundle.read_text()
    assert ours.read_text() in bundle.read_text()
    again = environment.variables(LOGIN, "default", {name: str(bundle)})
    assert again == both
    assert bundle.read_text().count("CORPORATE") == 1


def test_the_variables_go_without_a_login() -> None:
    done = CliRunner().invoke(main, ["env", "--unset", "--shell", "bash"])

    assert done.exit_code == 0, done.output
    given = {"NODE_EXTRA_CA_CERTS": "/x", "GIT_SSL_CAINFO": "/y"}
    wanted = environment.variables(LOGIN, "work", given).keys() - {"NO_PROXY", "no_proxy"}
    assert {line.removeprefix("unset ") for line in done.output.splitlines()} == wanted
