"""Scripts from Windows run, and are named."""

from __future__ import annotations

import pytest

from build.rig import Engine

CRLF = "#!/bin/sh\r\necho it runs\r\n"


@pytest.mark.parametrize(
    "name", ["mvnw", "gradlew", "bin/pre_compile", "bin/post_compile", "start.sh", "a/b/run"]
)
def test_a_script_with_windows_line_ends_runs(engine: Engine, name: str) -> None:
    engine.buildpack(compile=f"#!/bin/sh\ncd $1 && chmod +x {name} && ./{name}\n")
    done = engine.run({name: CRLF})
    assert done.code == 0, done.log
    assert "it runs\n" in done.log
    assert f" !     Windows line ends were removed from {name},\n" in done.log
    assert ".gitattributes" in done.log


@pytest.mark.parametrize(
    "name", ["bin/pre_compile", "start.sh", ".profile", ".profile.d/own.sh", "bin/go-post-compile"]
)
def test_what_a_shell_reads_needs_no_first_line(engine: Engine, name: str) -> None:
    engine.buildpack(compile=f"#!/bin/sh\nsh $1/{name}\n")
    done = engine.run({name: "true\r\necho it runs\r\n"})
    assert "it runs\n" in done.log
    assert f" !     Windows line ends were removed from {name},\n" in done.log


def test_what_a_wrapper_reads_is_mended_as_well(engine: Engine) -> None:
    engine.buildpack(compile="#!/bin/sh\nod -c $1/.mvn/wrapper/maven-wrapper.properties\n")
    done = engine.run({".mvn/wrapper/maven-wrapper.properties": "distributionUrl=x\r\n"})
    assert "\\r" not in done.log


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", b"no script\r\n"),
        ("data.csv", b"a,b\r\n#!/x\r\n"),
        ("bin/program", b"#!\0\r\n"),
        ("fine.sh", b"#!/bin/sh\necho\n"),
        ("node_modules/x/cli.js", b"#!/usr/bin/env node\r\n"),
    ],
)
def test_other_files_stay_as_they_are(engine: Engine, name: str, content: bytes) -> None:
    engine.buildpack()
    done = engine.run({name: content})
    assert done.code == 0
    assert "Windows" not in done.log
    assert (engine.layout.build_dir / name).read_bytes() == content
