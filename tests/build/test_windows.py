"""Scripts from Windows run, texts from Windows are understood, and both are named."""

from __future__ import annotations

from codecs import BOM_UTF8

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


TOLD = " !     UTF-16 or a byte order mark was removed from {},\n"


POWERSHELL = "žádné=17\r\n".encode("utf-16")
TEXTS = (
    *("system.properties", ".python-version", "runtime.txt", ".ruby-version", "Aptfile"),
    *(".slugignore", ".buildpacks", "composer.json", "static.json", "package.json"),
    *("requirements.txt", "project/build.properties", ".npmrc"),
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        *((name, POWERSHELL) for name in TEXTS),
        ("system.properties", BOM_UTF8 + "žádné=17\r\n".encode()),
        ("system.properties", "\ufeffžádné=17\r\n".encode("utf-16-be")),
        ("system.properties", "=žádné=17\r\n".encode("utf-16-le")),
        ("system.properties", "=žádné=17\r\n".encode("utf-16-be")),
    ],
)
def test_a_text_of_powershell_is_understood(engine: Engine, name: str, content: bytes) -> None:
    engine.buildpack()
    done = engine.run({name: content})
    mended = (engine.layout.build_dir / name).read_bytes()
    assert mended.lstrip(b"=") == "žádné=17\r\n".encode()
    assert TOLD.format(name) in done.log


def test_a_slugignore_of_powershell_counts(engine: Engine) -> None:
    engine.buildpack()
    done = engine.run({".slugignore": "*.psd\r\n".encode("utf-16"), "a.psd": "x", "b": "x"})
    assert "Deleting 1 files matching .slugignore patterns." in done.log


@pytest.mark.parametrize(
    ("name", "codec", "ends"),
    [
        *((name, "utf-8-sig", "\r\n") for name in ("start.sh", "bin/web", "mvnw", "a/b/run")),
        ("bin/web", "utf-8-sig", "\n"),
        ("bin/web", "utf-16", "\n"),
        ("bin/web", "utf-16", "\r\n"),
    ],
)
def test_a_script_of_notepad_runs(engine: Engine, name: str, codec: str, ends: str) -> None:
    engine.buildpack(compile=f"#!/bin/sh\ncd $1 && chmod +x {name} && ./{name}\n")
    script = "#!/usr/bin/env -S bash -eu\necho it runs\n".replace("\n", ends)
    done = engine.run({name: script.encode(codec)})
    assert done.code == 0, done.log
    assert "it runs\n" in done.log
    assert TOLD.format(name) in done.log
    assert ("Windows line ends" in done.log) is (ends != "\n")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", "none of ours".encode("utf-16")),
        ("data.csv", BOM_UTF8 + b"a,b\n"),
        ("pom.xml", '<?xml version="1.0" encoding="UTF-16"?><a/>'.encode("utf-16")),
        ("requirements.txt", b"\xff\xfe\xff"),
        ("composer.json", b"\0\0\0\0"),
        (".npmrc", b"x"),
        ("run.sh", b"\xff\xfe#\0!\0\0\0"),
    ],
)
def test_what_is_no_text_of_windows_stays(engine: Engine, name: str, content: bytes) -> None:
    engine.buildpack()
    done = engine.run({name: content})
    assert (engine.layout.build_dir / name).read_bytes() == content
    assert "UTF-16 or a byte" not in done.log
