"""A dependency behind a password: every ecosystem says what it wants and where to put it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from haikube.build.harness.rehearsal import Stage
from languages.mirrors.refusing import CREDENTIALS, refusing
from languages.mirrors.served import served
from languages.private_apps import private_app, private_config
from languages.proof import build_app, refused

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]

GIT = ("GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.https://USER:TOKEN@{host}/.insteadOf")


@pytest.fixture
def host(tmp_path: Path) -> Iterator[str]:
    folder = tmp_path / "served"
    folder.mkdir()
    with refusing(folder) as name:
        yield name


NPM = ("wants a token", "//{host}/:_authToken=${NPM_TOKEN}", "config var NPM_TOKEN")
MODERN_YARN = (".yarnrc.yml", 'npmAuthToken: "${NPM_TOKEN}"', "config var NPM_TOKEN")


@pytest.mark.parametrize(
    ("ecosystem", "told"),
    [
        ("pip", ("The package 'demo==1.0'", "PIP_EXTRA_INDEX_URL=https://user:token@")),
        ("pip-git", GIT),
        ("npm", NPM),
        ("yarn", NPM),
        ("modern-yarn", MODERN_YARN),
        ("pnpm", NPM),
        ("npm-git", GIT),
        ("bundler", ("The gem server 127.0.0.1 wants", "BUNDLE_127__0__0__1=user:password")),
        ("bundler-git", GIT),
        ("go", ("on {host} is private", "GO_GIT_CRED__HTTPS__127__0__0__1 to user:token")),
        ("composer", ("A package needs credentials", "config var COMPOSER_AUTH")),
        ("maven", ("A repository wants credentials", "${env.REPOSITORY_PASSWORD}")),
    ],
)
def test_who_is_not_let_in_is_told_what_helps(
    stage: Stage, tmp_path: Path, host: str, ecosystem: str, told: tuple[str, ...]
) -> None:
    private_app(tmp_path / "app", ecosystem, host)

    log = refused(stage, tmp_path / "app", private_config(ecosystem, host))

    marked = "".join(line for line in log.splitlines() if line.startswith(" !     "))
    for words in told:
        assert words.replace("{host}", host) in marked, log


@pytest.mark.parametrize(
    ("ecosystem", "file"),
    [("npm", ".npmrc"), ("yarn", ".npmrc"), ("modern-yarn", ".yarnrc.yml"), ("pnpm", ".npmrc")],
)
def test_a_package_that_its_registry_does_not_show(
    stage: Stage, tmp_path: Path, ecosystem: str, file: str
) -> None:
    with served(tmp_path) as url:
        private_app(tmp_path / "app", ecosystem, url.removeprefix("http://"))

        log = refused(stage, tmp_path / "app")

    assert "The package '@private/demo" in log, log
    assert "does not exist in its registry, or is private." in log
    assert f"a private one needs a token in {file}" in log


def test_the_config_vars_that_are_named_open_a_repository(
    stage: Stage, tmp_path: Path, host: str
) -> None:
    source = tmp_path / "demo"
    source.mkdir()
    (source / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "1.0"\n')
    (source / "demo.py").write_text("NAME = 'private'\n")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "init", "--quiet", "-b", "main"], cwd=source, check=True)
    subprocess.run([*git, "add", "."], cwd=source, check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "demo"], cwd=source, check=True)
    bare = tmp_path / "served" / "demo.git"
    subprocess.run([*git, "clone", "--quiet", "--bare", source, bare], check=True)
    subprocess.run([*git, "update-server-info"], cwd=bare, check=True)
    private_app(tmp_path / "app", "pip-git", host)
    (tmp_path / "app" / "Procfile").write_text("web: python -m demo\n")

    config = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.http://{CREDENTIALS}@{host}/.insteadOf",
        "GIT_CONFIG_VALUE_0": f"http://{host}/",
    }
    built = build_app(stage, tmp_path / "app", config)

    assert built.outcome.succeeded, built.log
    assert "Successfully installed demo-1.0" in built.log
    assert CREDENTIALS not in built.log
