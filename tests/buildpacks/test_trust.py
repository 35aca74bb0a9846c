"""Certificates that a config var names are trusted beside the platform's, never instead of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from buildpacks.shell import Shell
from haikube.build.environment import CA_VARIABLES

SHOWN = 'export_env_dir\nprintf "%s\\n" "${SSL_CERT_FILE-unset}"\n'


@pytest.fixture
def build(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path, "toy")
    (tmp_path / "build" / "certs").mkdir()
    shell.write({"certs/own.pem": "OWN"})
    (tmp_path / "platform.pem").write_text("PLATFORM")
    return shell


@pytest.mark.parametrize(
    "value", ["{home}/certs/own.pem", "certs/own.pem", "{build}/certs/own.pem"]
)
def test_certificates_of_the_app_are_trusted_as_well(build: Shell, value: str) -> None:
    place = build.place
    named = value.format(home=place / "home", build=place / "build")
    build.write({"SSL_CERT_FILE": named}, "env")
    shown = build.run(SHOWN, SSL_CERT_FILE=str(place / "platform.pem"))
    assert Path(shown.strip()).read_text() == "PLATFORM\nOWN\n"


def test_without_a_platform_s_they_join_those_of_the_system(build: Shell) -> None:
    build.write({"SSL_CERT_FILE": "certs/own.pem"}, "env")
    system = Path("/etc/ssl/certs/ca-certificates.crt").read_text()
    assert Path(build.run(SHOWN).strip()).read_text() == f"{system}OWN\n"


@pytest.mark.parametrize("value", ["/app/made-at-boot.pem", "no.pem", "", "certs", "-----BEGIN"])
@pytest.mark.parametrize("platform", [{"SSL_CERT_FILE": "/platform.pem"}, {}])
def test_what_a_build_does_not_have_changes_nothing(
    build: Shell, value: str, platform: Any
) -> None:
    build.write({"SSL_CERT_FILE": value}, "env")
    assert build.run(SHOWN, **platform).strip() == platform.get("SSL_CERT_FILE", "unset")


def test_every_variable_that_says_whom_to_trust_is_known(build: Shell) -> None:
    names = [name for name in CA_VARIABLES if not name.startswith("HAIKUBE_")]
    build.write(dict.fromkeys(names, "/app/no.pem"), "env")
    everywhere: Any = dict.fromkeys(names, "/ca")
    line = f'export_env_dir\nfor n in {" ".join(names)}; do printf "%s " "${{!n}}"; done'
    assert build.run(line, **everywhere).split() == ["/ca"] * len(names)


def test_npm_is_told_of_the_platform_s_alone(tmp_path: Path) -> None:
    node = Shell(tmp_path, "nodejs")
    line = 'prepare_environment >/dev/null\nprintf "%s" "${npm_config_cafile-unset}"'
    of_platform: Any = {"NODE_EXTRA_CA_CERTS": "/ca", "HAIKUBE_CA_BUNDLE": "/ca"}
    assert node.run(line, "package", "dyno", **of_platform) == "/ca"
    node.write({"NODE_EXTRA_CA_CERTS": "/app/database.pem"}, "env")
    assert node.run(line, "package", "dyno", **of_platform) == "/ca"
    assert node.run(line, "package", "dyno") == "unset"
