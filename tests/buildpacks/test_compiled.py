"""Ruby and PHP made from their real source in the build image, then given to apps.

Each takes minutes: compiling is what is tested. How a release is checked and refused is in
``test_made``.
"""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from buildpacks.test_runtimes import PHP_APP, RUBY_APP, RUBY_LOCK
from buildpacks.theatre import Theatre
from haikube.build.harness.rehearsal import DYNO_ID, Stage
from haikube.build.harness.sandbox import Sandbox, running
from languages.mirrors.gems import gem_mirror
from languages.mirrors.releases import PHP, RUBY, php_mirror, ruby_mirror
from languages.mirrors.served import served

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1500)]


def compiled(stage: Stage, language: str, version: str, mirror: Path) -> Path:
    """Do what the Job of the platform does; returns the archive."""
    work, home = stage.fresh("work"), stage.fresh("home")
    for folder in (work, home):
        os.chown(folder, DYNO_ID, DYNO_ID)
    binds = {
        "work": work,
        "app": home,
        "haikube/buildpacks": stage.buildpacks,
        "haikube/stack/run-dpkg-status": stage.run_rootfs / "var/lib/dpkg/status",
    }
    sandbox = Sandbox(stage.build_rootfs, stage.fresh("layers"), writable=False, binds=binds)
    command = ["/haikube/buildpacks/runtimes/make", language, version, "/work"]
    with served(mirror) as url, (stage.workspace / "made.log").open("w+b") as output:
        name = f"BUILDPACK_{language.upper()}_MIRROR"
        env = {**stage.platform_env, "HOME": "/app", "STACK": stage.stack, name: url}
        with running(sandbox, command, env, output.fileno()) as process:
            code = process.wait()
        output.seek(0)
        assert code == 0, output.read().decode(errors="replace")
    return work / "runtime.tar.zst"


def given(theatre: Theatre, name: str, archive: Path) -> Theatre:
    """Return the theatre of a platform that has made a runtime."""
    return Theatre(replace(theatre.stage, runtimes={name: archive}), theatre.config)


def test_ruby_from_its_real_source(theatre: Theatre) -> None:
    archive = compiled(theatre.stage, "ruby", RUBY, ruby_mirror())
    lock = RUBY_LOCK.format(line="3.3").replace("3.3.9", RUBY)
    with served(gem_mirror()) as gems:
        theatre.config = {"BUNDLE_MIRROR__ALL": gems}
        made = given(theatre, f"ruby-{RUBY}", archive)
        built = made.build({**RUBY_APP, "Gemfile.lock": lock}).succeeded()

    assert f"-----> Installing Ruby {RUBY}\n       It comes from the platform" in built.log
    assert "Installing bcrypt 3.1.20 with native extensions" in built.log
    with made.boot(built.outcome.result, built.processes["web"]) as dyno:
        assert dyno.get().body.decode() == "3.3 OpenSSL yaml true curl"


def test_php_from_its_real_source(theatre: Theatre) -> None:
    archive = compiled(theatre.stage, "php", PHP, php_mirror())
    made = given(theatre, f"php-{PHP}", archive)
    required = {"php": "~8.3.0", "ext-gd": "*", "ext-pgsql": "*"}
    files = {**PHP_APP, "composer.json": json.dumps({"require": required})}
    built = made.build(files).succeeded()

    assert f"-----> Installing PHP {PHP}\n       It comes from the platform" in built.log
    for server in ("nginx", "apache2"):
        with made.boot(built.outcome.result, f"heroku-php-{server}") as dyno:
            assert dyno.get().body.decode() == "8.3 1 it''s curl"
