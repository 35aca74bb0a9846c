"""What apps of Ruby, PHP and Scala bring along, in bash alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from buildpacks.shell import ROOT, Shell


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], Shell]:
    return lambda buildpack: Shell(tmp_path, buildpack)


def test_programs_that_ask_for_ruby_of_windows_are_mended(shell: Callable[[str], Shell]) -> None:
    ruby = shell("ruby")
    (ruby.place / "build" / "bin").mkdir()
    ruby.write(
        {
            "bin/rails": "#!/usr/bin/env ruby.exe\nputs 1\n",
            "bin/setup": "#!/usr/bin/env ruby\n# ruby.exe\n",
            "bin/tool": "\x7fELF",
        }
    )
    shown = ruby.run("mend_binstubs", "binstubs")
    assert " !     bin/rails begin with a line for Windows (ruby.exe), and were mended" in shown
    assert (ruby.place / "build/bin/rails").read_text() == "#!/usr/bin/env ruby\nputs 1\n"
    assert (ruby.place / "build/bin/setup").read_text() == "#!/usr/bin/env ruby\n# ruby.exe\n"
    assert ruby.run("mend_binstubs", "binstubs") == ""


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("Don't know how to build task 'assets:clean' (See the list of available tasks)", 0),
        ("rake aborted! ZeroDivisionError", 77),
    ],
)
def test_assets_need_no_task_that_cleans_them(
    shell: Callable[[str], Shell], said: str, code: int
) -> None:
    ruby = shell("ruby")
    ruby.write(
        {"Gemfile.lock": "GEM\n  specs:\n    railties (7)\n    propshaft (1)\n", "Rakefile": ""}
    )
    line = (
        f'bundle() {{ echo "{said}"; return 1; }}\nASSET_DIGEST=x RUBY_VERSION=3.3\ncompile_assets'
    )
    shown = ruby.run(line, "lockfile", "assets", "profile", code=code)
    assert said in shown
    assert ("Precompiling the assets failed" in shown) is (code == 77)


BUNDLE = """
bundle() {
  case "$*" in
  *--prereqs) eval "$PREREQS" ;;
  *) echo "$*" ;;
  esac
}
ASSET_DIGEST=x RUBY_VERSION=3.3
compile_assets
"""
OWN_TASK = "echo rake build; echo rake assets:precompile"


@pytest.mark.parametrize(
    ("gems", "name", "prereqs", "ran"),
    [
        ("jekyll rake", "Rakefile", OWN_TASK, True),
        ("sinatra rake", "rakefile.rb", OWN_TASK, True),
        ("sinatra rake", "Rakefile", "echo rake spec", False),
        ("sinatra rake", "tasks.rb", OWN_TASK, False),
        ("sinatra", "Rakefile", OWN_TASK, False),
    ],
)
def test_a_task_of_that_name_runs_in_any_app_of_ruby(
    shell: Callable[[str], Shell], gems: str, name: str, prereqs: str, *, ran: bool
) -> None:
    ruby = shell("ruby")
    lock = "".join(f"    {gem} (1.0)\n" for gem in gems.split())
    ruby.write({"Gemfile.lock": f"GEM\n  specs:\n{lock}", name: ""})
    (ruby.place / "build" / "public" / "assets").mkdir(parents=True)
    for _ in range(2):
        shown = ruby.run(BUNDLE, "lockfile", "assets", "profile", PREREQS=prereqs)
        assert ("-----> Preparing app with its own task assets:precompile" in shown) is ran
        assert ("       exec rake assets:precompile\n" in shown) is ran


@pytest.mark.parametrize(
    ("text", "told"), [('task "assets:precompile" do', True), ("require 'rspec'", False)]
)
def test_a_rakefile_that_does_not_load_is_told_of_where_it_matters(
    shell: Callable[[str], Shell], text: str, *, told: bool
) -> None:
    ruby = shell("ruby")
    ruby.write({"Gemfile.lock": "GEM\n  specs:\n    rake (1.0)\n", "Rakefile": text})
    broken = "echo cannot load such file -- rspec >&2; false"
    shown = ruby.run(BUNDLE, "lockfile", "assets", "profile", PREREQS=broken)
    assert ("cannot load such file -- rspec" in shown) is told
    assert (" !     The Rakefile cannot be loaded in a build (see above)" in shown) is told


def test_what_composer_says_of_bad_credentials(shell: Callable[[str], Shell]) -> None:
    php = shell("php")
    php.write({"log": "COMPOSER_AUTH environment variable is malformed, should be a valid JSON"})
    shown = php.run('explain_composer "$BUILD_DIR/log" install', "manifest", "composer", code=77)
    assert " !     The config var COMPOSER_AUTH is not valid JSON.\n" in shown


EXTENSIONS = ("manifest", "extensions")
APT = """
apt_prepare() { :; }
apt_here() {
  printf 'php8.4-%s\\n' bz2 curl gd imagick mbstring mysql opcache pgsql readline sqlite3 xml zip
}
extension_packages 8.4
"""


def test_what_php_has_unasked_as_on_heroku(shell: Callable[[str], Shell]) -> None:
    php = shell("php")
    unasked = ["bz2", "curl", "mbstring", "mysql", "opcache", "pgsql", "readline", "xml", "zip"]
    found = [each.removeprefix("php8.4-") for each in php.run(APT, *EXTENSIONS).split()]
    assert found == unasked
    php.write({"composer.json": '{"require": {"ext-gd": "*", "ext-pdo_sqlite": "*"}}'})
    found = [each.removeprefix("php8.4-") for each in php.run(APT, *EXTENSIONS).split()]
    assert found == sorted([*unasked, "gd", "sqlite3"])


@pytest.mark.parametrize("text", ["", "\n", " \r\n"])
def test_an_empty_composer_json_is_read_as_that_of_no_package(
    shell: Callable[[str], Shell], text: str
) -> None:
    php = shell("php")
    php.write({"composer.json": text})
    shown = php.run("check_manifest", "manifest")
    assert " !     composer.json is empty, which is no JSON: it is read as {}.\n" in shown
    assert (php.place / "build/composer.json").read_text() == "{}\n"
    assert php.run("check_manifest", "manifest") == ""


def test_packages_from_folders_of_a_php_app_are_copied(shell: Callable[[str], Shell]) -> None:
    line = 'prepare_composer\necho "$COMPOSER_MIRROR_PATH_REPOS"'
    assert shell("php").run(line, "manifest", "composer") == "1\n"


def test_copies_of_folders_of_a_php_app_are_made_anew(shell: Callable[[str], Shell]) -> None:
    php = shell("php")
    packages = [
        {"name": "acme/greet", "dist": {"type": "path", "url": "packages/greet"}},
        {"name": "other/zip", "dist": {"type": "zip"}},
        {"name": "other/meta"},
    ]
    php.write({"composer.lock": json.dumps({"packages": packages})})
    line = (
        'mkdir -p "$BUILD_DIR/vendor"/{acme/greet,acme/own,other/zip}\n'
        'cache_put php/vendor k "$BUILD_DIR/vendor"\nrm -r "$BUILD_DIR/vendor"\n'
        'restore_vendor vendor k\ncd "$BUILD_DIR" && find vendor -empty'
    )
    found = php.run(line, "manifest", "composer").split()
    assert sorted(found) == ["vendor/acme/own", "vendor/other/zip"]


SBT = (ROOT / "scala" / "bin" / "compile").read_text().partition("# Folders of the app")[2]


@pytest.mark.parametrize(
    ("properties", "tasks"),
    [
        ("", ["compile", "stage"]),
        ("sbt.project=web\r\n", ["web/compile", "web/stage"]),
        ("sbt.clean = true\n", ["clean", "compile", "stage"]),
    ],
)
def test_sbt_is_told_by_system_properties_too(
    shell: Callable[[str], Shell], properties: str, tasks: list[str]
) -> None:
    scala = shell("scala")
    scala.write({"system.properties": properties})
    functions = SBT.rpartition("\nmain\n")[0].partition("\n")[2]
    shown = scala.run(f'source "$HAIKUBE_LIB/jvm.sh"\n{functions}\nsbt_tasks')
    assert shown.split() == tasks


def test_an_sbt_that_nobody_maintains_is_warned_of(shell: Callable[[str], Shell]) -> None:
    scala = shell("scala")
    (scala.place / "build" / "project").mkdir()
    scala.write({"project/build.properties": "sbt.version=0.13.18\n"})
    functions = SBT.rpartition("\nmain\n")[0].partition("\n")[2]
    shown = scala.run(f'cd "$BUILD_DIR"\nsource "$HAIKUBE_LIB/jvm.sh"\n{functions}\nwanted_sbt')
    assert "sbt 0.13.18 is no longer maintained" in shown


GO = r"""
go() {
  local each
  for each in a b; do
    echo "/build/bin/httpd example.com/$each/cmd/httpd"
  done
}
GO_TAGS=heroku
"""


def test_two_programs_of_one_name_are_named(shell: Callable[[str], Shell]) -> None:
    functions = (ROOT / "go" / "bin" / "compile").read_text()
    refuse = (
        "refuse_same_names() {"
        + functions.partition("refuse_same_names() {")[2].partition("\n}\n")[0]
    )
    shown = shell("go").run(f"{GO}\n{refuse}\n}}\nrefuse_same_names x", "packages", code=77)
    assert (
        " !     Several packages make a program of the same name, and one would overwrite" in shown
    )
    assert " !     example.com/a/cmd/httpd, example.com/b/cmd/httpd.\n" in shown
    assert "GO_INSTALL_PACKAGE_SPEC" in shown
