"""A dyno and the tools of a build see the config vars that were set, byte by byte."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from buildpacks.scripts import SCRIPTS, names_of_scripts
from buildpacks.shell import ROOT, Shell
from haikube.model.names import OWN_TO_SHELL

LAUNCHER = ROOT / "launcher" / "start"
LOCALS = re.compile(r"\b(?:local|for|read|readarray|declare)\b([^;|&<>(]*)")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
BENDS_BASH = {"LC_ALL", "HOME"}
"""A locale that there is not makes bash complain; the home of a dyno is the platform's."""

values = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=40),
    st.sampled_from(
        ["", "\n", "a\n\n", " a ", "\t", "$HOME `id` $(id)", "'\"\\", "é", "x" * 100_000]
    ),
)


def _is_free(name: str) -> bool:
    return name not in BENDS_BASH and not OWN_TO_SHELL.fullmatch(name)


def names_in_scripts() -> list[str]:
    """Return every word that any of our scripts may have for a variable."""
    texts = [path.read_bytes().decode(errors="replace") for path in SCRIPTS]
    lower = {word for text in texts for part in LOCALS.findall(text) for word in NAME.findall(part)}
    assert {"file", "name", "value", "also", "package"} <= lower
    return sorted(filter(_is_free, {*lower, *names_of_scripts()}))


names = st.one_of(
    st.sampled_from(names_in_scripts()),
    st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True),
)


def shown(printed: bytes) -> dict[str, str]:
    """Return what ``env -0`` printed."""
    parts = (each.partition(b"=") for each in printed.split(b"\0") if each)
    return {name.decode(): value.decode() for name, _, value in parts}


def start(home: Path, config: Mapping[str, str], command: str = "exec /usr/bin/env -0") -> bytes:
    """Return what a command printed that was started as that of a dyno is."""
    done = subprocess.run(
        ["/bin/bash", LAUNCHER, command],
        env={**config, "HOME": str(home)},
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return done.stdout


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(config=st.dictionaries(names, values, max_size=8))
def test_a_dyno_sees_what_was_set(tmp_path: Path, config: dict[str, str]) -> None:
    (tmp_path / ".profile.d").mkdir(exist_ok=True)
    (tmp_path / ".profile.d" / "a.sh").write_text("export OF_PROFILE=1\n")
    (tmp_path / ".profile.d" / "b c.sh").write_text(": nothing\n")
    config = {name: value for name, value in config.items() if _is_free(name)}
    found = shown(start(tmp_path, config))
    assert {name: found.get(name) for name in config} == {**config, **_overruled(config)}


def _overruled(config: Mapping[str, str]) -> dict[str, str]:
    return {"OF_PROFILE": "1"} if "OF_PROFILE" in config else {}


def test_no_name_of_a_script_shadows_a_config_var_of_a_dyno(tmp_path: Path) -> None:
    (tmp_path / ".profile.d").mkdir()
    (tmp_path / ".profile.d" / "a.sh").write_text(": nothing\n")
    wanted = {name: f"mine {name}" for name in names_in_scripts()}
    found = shown(start(tmp_path, wanted))
    assert {name: found.get(name) for name in wanted} == wanted


OURS = {"JAVA_HOME", "JAVA_TOOL_OPTIONS", "PATH", "haikube_name", "haikube_processes"}
"""What scripts of buildpacks set or add to in a dyno, as on Heroku, and names that are nobody's."""


def test_no_script_of_a_buildpack_shadows_a_config_var_of_a_dyno(tmp_path: Path) -> None:
    profiles = [*ROOT.glob("lib/dyno/*.sh"), *ROOT.glob("*/profile/*.sh")]
    assert len(profiles) > 3
    (tmp_path / ".profile.d").mkdir()
    for number, path in enumerate(profiles):
        shutil.copy(path, tmp_path / ".profile.d" / f"{number}.sh")
    wanted = {name: f"mine {name}" for name in names_in_scripts() if name not in OURS}
    found = shown(start(tmp_path, {**wanted, "MEMORY_AVAILABLE": "512"}))
    assert {name: found.get(name) for name in wanted} == {**wanted, "MEMORY_AVAILABLE": "512"}


def kept_out() -> re.Pattern[str]:
    """Return what no config var of a build may be, as the scripts say it."""
    text = (ROOT / "lib" / "env_dir.sh").read_text()
    blocked, trusted = re.findall(r"readonly (?:ENV_BLOCKED|ENV_TRUST)='\^(.*)\$'", text)
    return re.compile(f"{blocked}|{trusted}")


JVM = ("clojure", "gradle", "java", "scala")


@pytest.mark.parametrize("buildpack", [*JVM, "go", "nodejs", "php", "python", "ruby"])
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(config=st.dictionaries(names, values, min_size=1, max_size=20))
def test_the_tools_of_a_build_see_what_was_set(
    tmp_path_factory: pytest.TempPathFactory, buildpack: str, config: dict[str, str]
) -> None:
    made = Shell(tmp_path_factory.mktemp("build"), buildpack)
    config = {name: value for name, value in config.items() if not kept_out().fullmatch(name)}
    made.write(config, "env")
    parts = sorted(path.stem for path in (ROOT / buildpack / "lib").glob("*.sh"))
    shared = ["jvm", "maven"] if buildpack in JVM else []
    lines = [f'source "$HAIKUBE_LIB/{part}.sh"' for part in shared]
    lines += ["export_env_dir", 'tool env -0 >"$BUILD_DIR/seen"']
    assert made.run("\n".join(lines), *parts) == ""
    found = shown((made.place / "build" / "seen").read_bytes())
    assert {name: found.get(name) for name in config} == config


SAID = re.compile(r"env_default ((?:[^\n]*\\\n)*[^\n]*)")


def test_what_a_buildpack_tells_its_tools_is_a_default(tmp_path: Path) -> None:
    texts = [path.read_text() for path in ROOT.rglob("*.sh")]
    told = {
        name
        for text in texts
        for part in SAID.findall(text)
        for name in re.findall(r"(\w+)=", part)
    }
    assert {"npm_config_fetch_timeout", "LEIN_NO_DEV", "COREPACK_ENABLE_STRICT"} <= told
    made = Shell(tmp_path, "nodejs")
    made.write(dict.fromkeys(told, "mine"), "env")
    parts = ("package", "dyno")
    line = 'prepare_environment >&2\ntool env -0 >"$BUILD_DIR/seen"'
    made.run(line, *parts, NODE_EXTRA_CA_CERTS="/ca.crt", HAIKUBE_CA_BUNDLE="/ca.crt")
    found = shown((made.place / "build" / "seen").read_bytes())
    assert {name: found.get(name) for name in told} == dict.fromkeys(told, "mine")


OF_FUNCTIONS = re.compile(r"(?!p?npm_config_)[a-z_][a-z0-9_]*")


@pytest.mark.parametrize("buildpack", [*JVM, "go", "nodejs", "php", "python", "ruby"])
def test_no_variable_of_a_function_hides_a_config_var(tmp_path: Path, buildpack: str) -> None:
    own = [name for name in names_in_scripts() if OF_FUNCTIONS.fullmatch(name)]
    made = Shell(tmp_path, buildpack)
    made.write({name: f"mine {name}" for name in own}, "env")
    body = " ".join(f"{name}=ours" for name in own if name != "own")
    line = f'export_env_dir\nf() {{ local {body}; tool env -0 >"$BUILD_DIR/seen"; }}\nf'
    assert made.run(line) == ""
    found = shown((made.place / "build" / "seen").read_bytes())
    assert {name: found.get(name) for name in own} == {name: f"mine {name}" for name in own}


GLOBAL = re.compile(r"^ *([A-Z][A-Z0-9_]+)=", re.MULTILINE)
TOLD = re.compile(r"(?:export|env_default|export_set|readonly)[^\n]*")


@pytest.mark.parametrize("buildpack", [*JVM, "go", "php", "ruby"])
def test_what_scripts_set_later_is_known_from_the_start(tmp_path: Path, buildpack: str) -> None:
    files = [*(ROOT / buildpack).glob("lib/*.sh")]
    files += ROOT.glob("lib/maven.sh") if buildpack in {"clojure", "java", "scala"} else ()
    text = "".join(path.read_text() for path in [*files, ROOT / buildpack / "bin" / "compile"])
    told = {name for line in TOLD.findall(text) for name in re.findall(r"[A-Z][A-Z0-9_]+", line)}
    names = sorted({*GLOBAL.findall(text)} - told)
    made = Shell(tmp_path, buildpack)
    own = (ROOT / buildpack / "bin" / "compile").read_text()
    own = own.partition('buildpack_start "$@"\n')[2].removesuffix("main\n")
    own = own.partition("\nexport_env_dir")[0]
    checks = f"for n in {' '.join(names)}; do declare -p $n >/dev/null 2>&1 || echo $n; done"
    later = made.run(f"{own}\n{checks}").split()
    assert later == [], "give these a value where bin/compile begins, as the others"


def test_php_gets_the_config_vars_that_its_start_script_uses_names_of(tmp_path: Path) -> None:
    boot = ROOT / "php" / "boot"
    texts = "".join(path.read_text() for path in boot.iterdir())
    own = {*re.findall(r"\b([A-Z][A-Z_]+)=", texts), *re.findall(r"\b(?:local|for) (\w+)", texts)}
    own -= {"PORT", "DOCUMENT_ROOT", "WEB_CONCURRENCY", "PHP_INI_SCAN_DIR", "PATH", "HOME"}
    assert {"SERVER", "RUN", "file", "limit"} <= own
    program = tmp_path / "php-fpm"
    program.write_text(f"#!/bin/sh\n/usr/bin/env -0 >{tmp_path}/seen\n")
    program.chmod(0o755)
    script = (
        f"RUN={tmp_path} SERVER=nginx\nsource {boot}/common.sh\nRUN={tmp_path} PORT=1 "
        "DOCUMENT_ROOT=/app WEB_CONCURRENCY=2\nORDERLY_UNUSED=\nawait_socket() { wait; }\n"
        "end_ourselves() { :; }\nstart_fpm\n"
    )
    wanted = {name: f"mine {name}" for name in own}
    env = {**wanted, "PATH": f"{tmp_path}:/usr/bin:/bin", "HOME": "/app", "WEB_CONCURRENCY": "9"}
    subprocess.run(["bash", "-euo", "pipefail", "-c", script], env=env, check=True)
    found = shown((tmp_path / "seen").read_bytes())
    assert {name: found.get(name) for name in own} == wanted
    assert (found["PORT"], found["WEB_CONCURRENCY"]) == ("1", "2")
