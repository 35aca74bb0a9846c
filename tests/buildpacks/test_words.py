"""What a build says when something fails: the words of the tools on one side, ours on the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from buildpacks.shell import ROOT, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], Shell]:
    return lambda buildpack: Shell(tmp_path, buildpack)


def functions(buildpack: str) -> str:
    """Return the functions of a compile script, which would run by itself."""
    text = (ROOT / buildpack / "bin" / "compile").read_text()
    return text.partition('buildpack_start "$@"\n')[2].removesuffix("main\n")


SAID = [
    ("go", "missing go.sum entry for module", "go.mod and go.sum do not fit the code."),
    ("go", "go: inconsistent vendoring in /build", "vendor/ does not fit go.mod."),
    ("go", "verifying x@v1: checksum mismatch", "A module is not the one that go.sum names."),
    ("go", "x requires go >= 1.99", "A module needs a newer Go than this app asks for"),
    (
        "go",
        "fatal: could not read Username for 'https://git.example.com': terminal prompts disabled",
        "The repository of a module on git.example.com is private, or does not exist",
    ),
    (
        "go",
        "reading https://proxy.example.com/x/@v/list: 401 Unauthorized",
        "The module server that GOPROXY names wants credentials",
    ),
    ("go", "boom", "The Go build failed (see above)."),
    ("gradle", "Task 'stage' not found in root project", 'This build has no task "stage".'),
    ("gradle", "java.net.ConnectException", "Gradle or a library could not be fetched"),
    (
        "gradle",
        "Unsupported class file major version 69",
        "The Gradle of the wrapper does not know",
    ),
    ("gradle", "Compilation failed; see the compiler", "The app does not compile (see above)."),
    ("java", "COMPILATION ERROR", "The app does not compile (see above)."),
    ("java", "Could not find artifact a:b:1", "Maven could not fetch what pom.xml asks for"),
    ("java", "boom", "The Maven build failed (see above)."),
    ("scala", "Not a valid command: stage", 'This app has no task "stage".'),
    ("scala", "Error downloading a:b:1", "sbt could not fetch what the build asks for"),
    ("scala", "Compilation failed", "The app does not compile (see above)."),
]


@pytest.mark.parametrize(("buildpack", "said", "words"), SAID)
def test_why_a_build_failed(
    shell: Callable[[str], Shell], buildpack: str, said: str, words: str
) -> None:
    made = shell(buildpack)
    made.write({"log": f"before\n{said}\nafter\n"})
    line = f'{functions(buildpack)}\njvm_feature() {{ echo 21; }}\nexplain_failure "$BUILD_DIR/log"'
    shown = made.run(line, code=77)
    assert f" !     {words}" in shown


PARTS = [
    ("python", "failure", 'explain_failure uv.lock "$LOG"', "Failed building wheel for x",
     "A package of uv.lock has no ready-made wheel for this Python and could not be compiled"),
    ("python", "failure", 'explain_failure requirements.txt "$LOG"', "boom",
     "The packages of requirements.txt could not be installed (see above)."),
    *(("python", "failure", 'explain_failure requirements.txt "$LOG"',
       f"ERROR: No matching distribution found for {said}", words)
      for said, words in (
          ("pywin32==306", "The package 'pywin32==306' of requirements.txt is for Windows alone."),
          ("pywinpty", "The package 'pywinpty' of requirements.txt is for Windows alone."),
          ("WMI (from x)", "The package 'WMI' of requirements.txt is for Windows alone."),
          ("wmic==1", "The package 'wmic==1' of requirements.txt does not exist in the package"),
          ("pywin32x", "The package 'pywin32x' of requirements.txt does not exist in the package"),
      )),
    *(("python", "failure", 'explain_failure requirements.txt "$LOG"',
       f"{said}\nERROR: No matching distribution found for six", words)
      for said, words in (
          ("Could not fetch URL x: There was a problem confirming the ssl certificate: y",
           "The package index shows a certificate that this build does not trust (see above)."),
          ("WARNING: Retrying (Retry(total=0, connect=None)) NewConnectionError: /six/",
           "The package index could not be reached (see above)."),
          ("WARNING: Retrying (Retry(total=3, connect=None)) NewConnectionError: /six/",
           "The package 'six' of requirements.txt does not exist in the package index"),
          ("Caused by: invalid peer certificate: UnknownIssuer",
           "The package index shows a certificate that this build does not trust (see above)."),
      )),
    ("python", "failure", 'explain_failure requirements.txt "$LOG"',
     "git@git.example.com: Permission denied (publickey).",
     "The git repository of a dependency on git.example.com is private, or does not exist"),
    ("php", "composer", 'explain_composer "$LOG" install', "HTTP/2 401",
     "A package needs credentials (see above)."),
    ("php", "composer", 'explain_composer "$LOG" install', "it is missing from your system",
     "The platform does not meet what composer.lock asks for"),
    ("php", "composer", 'explain_composer "$LOG" install', "The lock file is not up to date",
     "composer.lock does not fit composer.json (see above)."),
    ("php", "composer", 'explain_composer "$LOG" update', "boom", "composer update failed"),
    ("ruby", "bundle", 'gems_failed "$LOG"', "Authentication is required for gems.example.com.",
     "The gem server gems.example.com wants credentials, or others than it got"),
    ("ruby", "bundle", 'gems_failed "$LOG"', "boom", "bundle install failed (see above)."),
    ("clojure", "leiningen", 'lein_explain "$LOG"', "Could not find artifact a:b:jar:1",
     "Leiningen could not fetch what project.clj asks for"),
    ("clojure", "leiningen", 'lein_explain "$LOG"', "Syntax error compiling at (x.clj:1:1)",
     "The app does not compile (see above)."),
    ("clojure", "leiningen", 'lein_explain "$LOG"', "boom",
     "The Clojure build failed (see above)."),
    ("nodejs", "failure", 'explain_failure "$LOG"', "npm error code E401",
     "The registry of a package wants a token (see above)."),
]  # fmt: skip


@pytest.mark.parametrize(("buildpack", "part", "line", "said", "words"), PARTS)
def test_why_packages_could_not_be_installed(
    shell: Callable[[str], Shell], buildpack: str, part: str, line: str, said: str, words: str
) -> None:
    made = shell(buildpack)
    made.write({"log": f"before\n{said}\nafter\n"})
    shown = made.run(f"LOG=$BUILD_DIR/log\n{line}", part, code=77)
    assert f" !     {words}" in shown


SOURCES = [
    ("nodejs", ("package", "manager", "install"), {"package.json": "{}"}, "warn_about_source", 0,
     "No lock file found: a build may get other versions of the app's packages than the last."),
    ("nodejs", ("package", "version"), {"package.json": '{"engines": {"node": ">=20"}}'},
     "node_request", 0, "Dangerous semver range (>=20) in engines.node: a new major release may"),
    ("python", ("tools", "packages"), {"uv.lock": "", "poetry.lock": ""}, "package_manager", 77,
     "There are several files for different package managers: poetry.lock uv.lock."),
    ("python", ("version",), {"runtime.txt": "python-3.13"}, "wanted_version pip", 0,
     "runtime.txt is deprecated."),
    ("ruby", ("bundle",), {"Gemfile.lock": "<<<<<<< HEAD\n"}, "require_lock", 77,
     "Gemfile.lock holds the marks of a merge conflict (<<<<<<<)."),
    ("ruby", ("bundle",), {}, "require_lock", 77, "There is no Gemfile.lock beside the Gemfile."),
    ("ruby", ("lockfile", "bundle"), {"Gemfile.lock": "BUNDLED WITH\n   1.17.3\n"},
     "ruby() { printf 2.5.22; }\nchoose_bundler", 0,
     "Gemfile.lock was written by Bundler 1.17.3, which nobody mends any more: Bundler 2.5.22"),
    ("ruby", ("lockfile", "profile"), {"Gemfile.lock": "GEM\n  specs:\n    puma (7.0.1)\n"},
     "keep_puma_patient", 0, "Puma 7.0.1 does not start with PUMA_PERSISTENT_TIMEOUT set"),
    ("static", ("settings",), {"static.json": '{"logging": {"format": "$x"}}'},
     "check_settings", 0, "static.json has settings that are not known here and do nothing: logg"),
    ("static", ("settings",), {"static.json": '{"proxies": {"/a b": {"origin": "x"}}}'},
     'write_for_dynos "$TMPDIR"', 77, "The proxy '/a b' of static.json is not understood."),
    ("static", ("settings",), {"static.json": '{"proxies": {"/a": "http://x"}}'},
     'write_for_dynos "$TMPDIR"', 77, "The proxy '/a' of static.json is not understood."),
    ("static", ("settings",), {"static.json": '{"routes": {"/a": "$b"}}'}, "check_settings", 77,
     "static.json holds '$b': a $ or a line break cannot be part of a value."),
    ("php", ("manifest",), {"composer.json": "{,}"}, "check_manifest", 77,
     "composer.json is not valid JSON: "),
]  # fmt: skip


@pytest.mark.parametrize(("buildpack", "parts", "files", "line", "code", "words"), SOURCES)
def test_what_is_said_of_a_source(
    shell: Callable[[str], Shell],
    buildpack: str,
    parts: tuple[str, ...],
    files: dict[str, str],
    line: str,
    code: int,
    words: str,
) -> None:
    made = shell(buildpack)
    made.write(files)
    assert f" !     {words}" in made.run(line, *parts, code=code)


def test_committed_packages_of_node_are_named(shell: Callable[[str], Shell]) -> None:
    made = shell("nodejs")
    made.write({"package.json": "{}", "package-lock.json": "{}"})
    (made.place / "build" / "node_modules").mkdir()
    shown = made.run("warn_about_source", "package", "manager", "install")
    assert " !     node_modules is part of the source: packages of another platform may" in shown
    assert "git rm -r --cached node_modules" in shown


def test_a_bundle_configuration_of_a_developer_is_named(shell: Callable[[str], Shell]) -> None:
    made = shell("ruby")
    (made.place / "build" / ".bundle").mkdir()
    made.write({".bundle/config": "BUNDLE_PATH: x\n"})
    shown = made.run("drop_bundle_config", "bundle")
    assert " !     The app's .bundle/config is not used; set what it holds as config vars" in shown
    assert not (made.place / "build/.bundle/config").exists()


def test_a_hook_that_fails_is_named(shell: Callable[[str], Shell]) -> None:
    made = shell("python")
    (made.place / "build" / "bin").mkdir()
    made.write({"bin/pre_compile": "echo why >&2\nexit 3\n"})
    text = functions("python")
    hook = "hook() {" + text.partition("hook() {")[2].partition("\n}\n")[0] + "\n}\n"
    shown = made.run(f"{hook}\nhook pre_compile", code=77)
    assert "       why\n" in shown
    assert " !     The hook bin/pre_compile of the app failed (see above).\n" in shown


def test_a_repository_file_of_sbt_that_is_not_there_is_named(shell: Callable[[str], Shell]) -> None:
    made = shell("scala")
    made.write({"SBT_REPOSITORY_CONFIG": "mirrors"}, "env")
    shown = made.run(f"{functions('scala')}\nSBT=()\nsbt_repositories", code=77)
    assert " !     SBT_REPOSITORY_CONFIG is 'mirrors', but there is no such file.\n" in shown


def test_lines_that_conda_wrote_are_shown(shell: Callable[[str], Shell]) -> None:
    python = shell("python")
    line = "attrs @ file:///croot/attrs_1668696182826/work"
    said = "due to an OSError: [Errno 2] No such file or directory: '/croot/attrs_1/work'"
    python.write({"requirements.txt": f"six==1\n{line}\n", "log": said})
    call = 'explain_failure requirements.txt "$BUILD_DIR/log"'
    shown = python.run(call, "failure", code=77)
    assert (
        " !     requirements.txt names files of the machine that it was made on, such as\n" in shown
    )
    assert f" !         {line}\n" in shown
    assert "pip list --format=freeze > requirements.txt" in shown
