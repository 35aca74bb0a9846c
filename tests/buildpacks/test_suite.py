"""Other suites of the distribution and the lines of runtimes, in bash alone: no stack."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import pytest

from buildpacks.shell import Shell
from languages.mirrors.served import served

KEYRING = "[signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]"
ONE_LINE = """# the stack's
deb http://mirror/debian trixie main
deb [trusted=yes] http://mirror/debian trixie-updates main
deb http://security/debian trixie-security main
"""
STANZAS = """Types: deb
URIs: http://mirror/debian
Suites: trixie trixie-updates
Components: main

Types: deb
URIs: http://security/debian
Suites: trixie-security
Components: main
"""


@pytest.fixture
def lib(tmp_path: Path) -> Shell:
    return Shell(tmp_path, "toy")


@pytest.mark.parametrize(
    ("name", "text"), [("sources.list", ONE_LINE), ("sources.list.d/debian.sources", STANZAS)]
)
def test_another_suite_is_where_the_stack_s_own_is(lib: Shell, name: str, text: str) -> None:
    path = lib.place / "apt" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    read = 'lines=$(suite_lines "$TMPDIR/../apt")\nsuite_lines() { printf "%s\\n" "$lines"; }\n'
    shown = lib.run(f"{read}suite_sources trixie bookworm\nsuite_sources trixie sid")
    assert shown.splitlines() == [
        f"deb {KEYRING} http://mirror/debian bookworm main",
        f"deb {KEYRING} http://security/debian bookworm-security main",
        f"deb {KEYRING} http://mirror/debian sid main",
    ]


def test_a_mirror_of_its_own_for_other_suites(lib: Shell) -> None:
    stub = 'suite_lines() { echo "http://mirror/debian trixie"; }\n'
    shown = lib.run(
        f"{stub}suite_sources trixie bullseye", BUILDPACK_SUITES_MIRROR="http://archive/debian"
    )
    assert shown == f"deb {KEYRING} http://archive/debian bullseye main\n"


def test_what_is_installed_neither_wants_nor_refuses_anything(lib: Shell) -> None:
    stanza = (
        "Package: {}\nStatus: install ok installed\nEssential: yes\nVersion: 2\n"
        "Depends: libx,\n liby\nBreaks: old (<< 1)\nProvides: libz\n\n"
    )
    (lib.place / "status").write_text(stanza.format("tool") + stanza.format("locales"))
    shown = lib.run('suite_status <"$TMPDIR/../status"').split("\n\n")
    assert shown[0] == ("Package: tool\nStatus: install ok installed\nVersion: 2\nProvides: libz")
    versions = [text for text in shown if text.startswith("Package: locales\n")]
    assert len(versions) == 1
    assert "Version: 999" in versions[0]


@pytest.mark.parametrize(
    ("today", "line", "words"),
    [
        ("2026-11", "3.9", "Python 3.9 had its end of life in 2025-10"),
        ("2026-11", "3.9", "Move to a newer line; Python 3.14 is kept up."),
        ("2027-10", "3.11", ""),
        ("2027-11", "3.11", "Python 3.11 had its end of life in 2027-10"),
        ("2026-11", "9.9", ""),
    ],
)
def test_the_end_of_a_line_is_said(lib: Shell, today: str, line: str, words: str) -> None:
    shown = lib.run(f"date() {{ echo {today}; }}\nruntime_warn_ended Python python {line}")
    assert (words in shown) if words else shown == ""


@pytest.mark.parametrize(
    ("language", "line", "near"),
    [("python", "3.7", "3.9"), ("python", "3.10", "3.11"), ("java", "99", "26")],
)
def test_a_line_that_no_suite_has_is_answered_with_one_that_will_do(
    lib: Shell, language: str, line: str, near: str
) -> None:
    assert lib.run(f"runtime_next {language} {line}") == f"{near}\n"


@pytest.mark.parametrize(
    ("suite", "words"),
    [
        ("trixie", "from the packages of the stack debian-13"),
        ("sid", "from the suite sid of the stack's distribution, beside the stack's own"),
    ],
)
def test_the_log_says_where_a_runtime_comes_from(lib: Shell, suite: str, words: str) -> None:
    assert lib.run(f"stack_suite() {{ echo trixie; }}\nruntime_origin {suite}") == words


def test_a_jdk_that_upstream_does_not_give_is_answered_with_what_there_is(lib: Shell) -> None:
    load = 'source "$HAIKUBE_LIB/jvm.sh"\ndownload() { return 1; }\n'
    lib.write({"system.properties": "java.runtime.version=22\n"})
    shown = lib.run(f"{load}jvm_fetch_upstream 22", code=77)
    assert " !     Java 22 (system.properties) is not in the stack's distribution" in shown
    assert " !     Available without it are: 8, 11, 17, 21, 25, 26." in shown
    assert " !     Java 25 builds and runs what is written for Java 22" in shown


RUBIES = """
stack_suite() { echo trixie; }
within_suite() { local version; version=$(tail -c +5 <<<"$3"); echo "${version//2.7/2.7.4}" |
  sed 's/^3.1$/3.1.2/; s/^3.3$/3.3.8/'; }
RUBY_SOURCE=deb
platform_folder() { echo "$TMPDIR/../platform"; }
"""


def ruby(shell: Shell, wanted: str, *made: str, code: int = 0) -> str:
    """Return which Ruby a requirement gets, and where from, with what the platform made."""
    urls = shell.place / "platform" / "urls"
    urls.mkdir(parents=True)
    for version in made:
        (urls / f"runtime-ruby-{version}").write_text("http://storage/x")
    line = f"choose_packaged_ruby {wanted!r}\necho $RUBY_CHOICE ${{RUBY_MADE:-packages}}"
    parts = ("requirement", "lockfile", "version", "runtime")
    return shell.run(f"{RUBIES}{line}", *parts, code=code)


@pytest.mark.parametrize(
    ("wanted", "made", "chosen"),
    [
        ("", ["3.4.7"], "3.3.8 packages"),
        (">= 3.2", ["3.4.7"], "3.3.8 packages"),
        ("~> 2.7", [], "2.7.4 packages"),
        ("3.1.2", [], "3.1.2 packages"),
        ("3.4.7", ["3.4.6", "3.4.7"], "3.4.7 1"),
        ("~> 3.4", ["3.4.6", "3.4.7"], "3.4.7 1"),
        ("3.3.5", ["3.3.5"], "3.3.5 1"),
    ],
)
def test_a_ruby_is_packages_first_then_what_the_platform_made(
    tmp_path: Path, wanted: str, made: list[str], chosen: str
) -> None:
    assert ruby(Shell(tmp_path, "ruby"), wanted, *made) == f"{chosen}\n"


def test_another_patch_level_that_the_platform_made_will_do(tmp_path: Path) -> None:
    shown = ruby(Shell(tmp_path, "ruby"), "3.4.5", "3.4.7")
    assert " !     Ruby 3.4.5 is not available, the stack debian-13 has 3.4.7" in shown
    assert shown.endswith("3.4.7 1\n")


def test_a_ruby_that_nobody_has_is_answered_with_who_can_make_it(tmp_path: Path) -> None:
    shown = ruby(Shell(tmp_path, "ruby"), "~> 3.2.1", "3.4.7", code=77)
    assert " !     Ruby ~> 3.2.1 is not available from the source 'deb'" in shown
    assert " !     Available are: 2.7, 3.1, 3.3, 3.4.7." in shown
    assert "haikube runtimes add ruby 3.2.1" in shown


@pytest.mark.parametrize("code", [0, 77])
def test_what_the_platform_made_is_checked(lib: Shell, code: int) -> None:
    tree = lib.place / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "bin" / "ruby").write_text("x")
    archive = lib.place / "ruby.tar.zst"
    subprocess.run(["tar", "-C", tree, "--zstd", "-cf", archive, "."], check=True)
    digest = "0" * 64 if code else hashlib.sha256(archive.read_bytes()).hexdigest()
    for name in ("urls", "request"):
        (lib.place / "platform" / name).mkdir(parents=True)
    request = json.dumps({"runtimes": {"ruby-3.4.7": f"sha256:{digest}"}})
    (lib.place / "platform" / "request" / "request.json").write_text(request)
    with served(lib.place) as url:
        url_file = lib.place / "platform" / "urls" / "runtime-ruby-3.4.7"
        url_file.write_text(f"{url}/ruby.tar.zst")
        stub = 'platform_folder() { echo "$TMPDIR/../platform"; }\n'
        line = 'platform_runtime ruby 3.4.7 "$BUILD_DIR/ruby"\ncat "$BUILD_DIR/ruby/bin/ruby"'
        shown = lib.run(stub + line, code=code)
    if code:
        assert " !     ruby-3.4.7, which the platform made for this stack, could not be" in shown
        assert "haikube runtimes add ruby 3.4.7" in shown
    else:
        assert shown.endswith("from its source for the stack debian-13\nx")


def test_what_comes_from_another_suite_is_asked_for_anew_each_week(lib: Shell) -> None:
    stub = "stack_suite() { echo trixie; }\ndate() { echo week; }\n"
    shown = lib.run(f'{stub}for each in "" trixie sid; do echo "[$(suite_week "$each")]"; done')
    assert shown == "[]\n[trixie]\n[sidweek]\n"
