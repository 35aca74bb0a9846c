"""Ruby apps as their generators write them: Sinatra, Rails, and what a person may get wrong."""

from __future__ import annotations

import signal
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from haikube.build.harness.rehearsal import Stage
from languages.conftest import Note
from languages.mirrors.gems import gem_mirror
from languages.mirrors.served import served
from languages.proof import SLUG_RATIO, boot_web, build_app, one_off, prove, refused
from languages.ruby import apps

pytestmark = [pytest.mark.stack, pytest.mark.timeout(1200)]

BEHIND_TLS = {"X-Forwarded-Proto": "https"}
STOPPED = {-signal.SIGTERM, 128 + signal.SIGTERM, 0, apps.PUMA_DEADLOCK}


@pytest.fixture(scope="module")
def gems() -> Iterator[str]:
    with served(gem_mirror()) as url:
        yield url


@pytest.fixture(scope="module")
def rubies(stage: Stage, gems: str) -> Stage:
    """The stage of a platform whose gem server is the mirror."""
    return replace(stage, platform_env={**stage.platform_env, "BUNDLE_MIRROR__ALL": gems})


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory, gems: str) -> Path:
    """A folder with both generated apps: the generators run once."""
    folder = tmp_path_factory.mktemp("generated")
    apps.sinatra(folder / "sinatra", gems)
    apps.rails(folder / "rails", gems)
    return folder


@pytest.fixture
def sinatra(generated: Path, tmp_path: Path) -> Path:
    return Path(copytree(generated / "sinatra", tmp_path / "app"))


@pytest.fixture
def rails(generated: Path, tmp_path: Path) -> Path:
    return Path(copytree(generated / "rails", tmp_path / "app"))


def edit(path: Path, old: str, new: str) -> None:
    """Replace text that must be there."""
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_an_app_without_rails_compiles_its_assets(rubies: Stage, sinatra: Path) -> None:
    (sinatra / "Rakefile").write_text(
        'task "assets:precompile" do\n  mkdir_p "public"\n'
        '  File.write("public/made.txt", "by rake in #{ENV.fetch("RACK_ENV")}\\n")\nend\n'
    )
    for _ in range(2):
        built = build_app(rubies, sinatra)
        assert "-----> Preparing app with its own task assets:precompile" in built.log
        assert one_off(rubies, built, "cat public/made.txt") == "by rake in production\n"


def test_sinatra(rubies: Stage, sinatra: Path, note: Note) -> None:
    proof = prove(rubies, sinatra)

    note("ruby sinatra", proof)
    assert proof.first.processes == {
        "rake": "bundle exec rake",
        "console": "bundle exec irb",
        "web": "bundle exec rackup config.ru -p ${PORT:-5000}",
    }
    assert proof.web.status == 200
    assert proof.web.body == "Sinatra on web.1 in production"
    assert "Gracefully stopping" in proof.web.output
    assert proof.web.exit_code in STOPPED
    assert "Using the gems of the last build" in proof.again.log
    assert not proof.changed
    assert proof.weight <= SLUG_RATIO


def test_rails_as_it_is_generated(rubies: Stage, rails: Path, note: Note) -> None:
    proof = prove(rubies, rails, path="/up", headers=BEHIND_TLS)
    secret = one_off(rubies, proof.again, "printenv SECRET_KEY_BASE RAILS_ENV MALLOC_ARENA_MAX")

    note("ruby rails", proof)
    assert proof.first.processes["web"] == "bin/rails server -p ${PORT:-5000} -e $RAILS_ENV"
    assert proof.first.processes["console"] == "bin/rails console"
    assert "Writing application-" in proof.first.log
    assert proof.web.status == 200
    assert "background-color: green" in proof.web.body
    assert proof.web.exit_code in STOPPED
    assert "Using the assets of the last build" in proof.again.log
    assert not proof.changed
    assert proof.weight <= SLUG_RATIO
    assert secret.splitlines()[1:] == ["production", "2"]
    edit(rails / "Rakefile", "# Add your own tasks", "# Changed")
    changed = build_app(rubies, rails)
    assert "Running: rake assets:precompile" in changed.log
    assert one_off(rubies, changed, "printenv SECRET_KEY_BASE") == secret.splitlines()[0] + "\n"


def test_a_secret_of_the_app_is_kept(rubies: Stage, rails: Path) -> None:
    config = {"SECRET_KEY_BASE": "s" * 64}

    built = build_app(rubies, rails, config)

    assert one_off(rubies, built, "printenv SECRET_KEY_BASE", config) == "s" * 64 + "\n"


def test_a_lock_file_of_bundler_1(rubies: Stage, sinatra: Path) -> None:
    lock = sinatra / "Gemfile.lock"
    text = lock.read_text().partition("BUNDLED WITH\n")[0]
    lock.write_text(f"{text}BUNDLED WITH\n   1.17.3\n")

    built = build_app(rubies, sinatra)

    assert built.outcome.succeeded, built.log
    assert " !     Gemfile.lock was written by Bundler 1.17.3" in built.log
    assert boot_web(rubies, built).body == "Sinatra on web.1 in production"


def test_a_gem_that_is_compiled(rubies: Stage, sinatra: Path) -> None:
    edit(sinatra / "Gemfile", 'gem "puma"', 'gem "bcrypt"\ngem "puma"')
    edit(sinatra / "Gemfile.lock", "  specs:\n", "  specs:\n    bcrypt (3.1.20)\n")
    edit(sinatra / "Gemfile.lock", "DEPENDENCIES\n", "DEPENDENCIES\n  bcrypt\n")

    built = build_app(rubies, sinatra)

    assert "Installing bcrypt 3.1.20 with native extensions" in built.log
    check = """bundle exec ruby -rbcrypt -e 'puts BCrypt::Password.create("x") == "x"'"""
    assert one_off(rubies, built, check) == "true\n"


def test_an_app_with_a_package_json_gets_node_as_well(rubies: Stage, sinatra: Path) -> None:
    (sinatra / "package.json").write_text('{"engines": {"node": "24.x"}}')

    built = build_app(rubies, sinatra)

    assert "-----> Ruby app detected" in built.log
    assert "node.js" not in built.outcome.result["language"].lower()
    assert one_off(rubies, built, "node --version").startswith("v24.")
    assert boot_web(rubies, built).status == 200


def test_no_web_process_without_config_ru(rubies: Stage, sinatra: Path) -> None:
    (sinatra / "config.ru").unlink()

    built = build_app(rubies, sinatra)

    assert set(built.processes) == {"rake", "console"}


def test_another_patch_level_of_the_same_ruby(rubies: Stage, sinatra: Path) -> None:
    edit(sinatra / "Gemfile", 'gem "puma"', 'ruby "3.3.1"\ngem "puma"')

    built = build_app(rubies, sinatra)
    strict = refused(rubies, sinatra, {"BUILDPACK_STRICT_VERSIONS": "1"})

    assert "Ruby 3.3.1 is not available, the stack debian-13 has 3.3." in built.log
    assert boot_web(rubies, built).status == 200
    assert "Ask for 3.3, or unset BUILDPACK_STRICT_VERSIONS." in strict


def test_a_ruby_that_is_not_to_be_had(rubies: Stage, sinatra: Path) -> None:
    with (sinatra / "Gemfile.lock").open("a") as lock:
        lock.write("\nRUBY VERSION\n   ruby 2.6.8p205\n")

    log = refused(rubies, sinatra)

    assert "Ruby 2.6.8 is not available from the source 'deb' for the stack debian-13." in log
    assert "Available are: 2.7, 3.1, 3.3." in log
    assert "BUILDPACK_RUBY_SOURCE" in log


def test_another_engine(rubies: Stage, sinatra: Path) -> None:
    with (sinatra / "Gemfile.lock").open("a") as lock:
        lock.write("\nRUBY VERSION\n   ruby 3.1.4p0 (jruby 9.4.8.0)\n")

    assert "Gemfile.lock asks for jruby 9.4.8.0; this buildpack offers MRI" in refused(
        rubies, sinatra
    )


def test_a_missing_lock_file(rubies: Stage, sinatra: Path) -> None:
    (sinatra / "Gemfile.lock").unlink()

    log = refused(rubies, sinatra)

    assert "There is no Gemfile.lock beside the Gemfile." in log
    assert "bundle lock" in log


def test_a_lock_file_with_a_merge_conflict(rubies: Stage, sinatra: Path) -> None:
    edit(sinatra / "Gemfile.lock", "GEM\n", "<<<<<<< HEAD\nGEM\n")

    assert "holds the marks of a merge conflict" in refused(rubies, sinatra)


def test_a_lock_file_that_does_not_fit(rubies: Stage, sinatra: Path) -> None:
    edit(sinatra / "Gemfile", 'gem "puma"', 'gem "sequel"\ngem "puma"')

    log = refused(rubies, sinatra)

    assert "* sequel" in log
    assert "A Gemfile.lock that does not fit the Gemfile" in log


def test_a_gem_that_does_not_exist(rubies: Stage, sinatra: Path) -> None:
    edit(sinatra / "Gemfile", 'gem "puma"', 'gem "no-such-gem"\ngem "puma"')
    edit(sinatra / "Gemfile.lock", "  specs:\n", "  specs:\n    no-such-gem (1.0)\n")
    edit(sinatra / "Gemfile.lock", "DEPENDENCIES\n", "DEPENDENCIES\n  no-such-gem\n")

    log = refused(rubies, sinatra)

    assert "no-such-gem" in log
    assert "bundle install failed (see above)." in log


def test_assets_that_do_not_compile(rubies: Stage, rails: Path) -> None:
    (rails / "config" / "initializers" / "broken.rb").write_text('raise "no such setting"\n')

    log = refused(rubies, rails)

    assert "no such setting" in log
    assert "Precompiling the assets failed (see above)." in log


def test_a_ruby_from_an_archive(rubies: Stage, sinatra: Path, tmp_path: Path) -> None:
    archives = tmp_path / "archives"
    archives.mkdir()
    made = build_app(rubies, sinatra)
    ruby = rubies.workspace / "build" / "build" / "src" / ".heroku" / "ruby"
    with tarfile.open(archives / "ruby-3.3.99.tar", "w") as tar:
        tar.add(ruby, arcname=".")
    with served(archives) as url:
        source = {"BUILDPACK_RUBY_SOURCE": f"{url}/ruby-{{version}}.tar"}
        missing = refused(rubies, sinatra, source)
        with (sinatra / "Gemfile.lock").open("a") as lock:
            lock.write("\nRUBY VERSION\n   ruby 3.3.99p1\n")
        built = build_app(rubies, sinatra, source)

    assert made.outcome.succeeded
    assert "neither Gemfile.lock nor Gemfile names a version." in missing
    assert "Installing Ruby from ruby-3.3.99.tar" in built.log
    assert boot_web(rubies, built).status == 200


def test_a_ruby_that_the_platform_made(rubies: Stage, sinatra: Path, tmp_path: Path) -> None:
    with (sinatra / "Gemfile.lock").open("a") as lock:
        lock.write("\nRUBY VERSION\n   ruby 3.3.99p1\n")
    other = build_app(rubies, sinatra)
    ruby = rubies.workspace / "build" / "build" / "src" / ".heroku" / "ruby"
    archive = tmp_path / "ruby.tar.zst"
    subprocess.run(["tar", "-C", ruby, "--zstd", "-cf", archive, "."], check=True)
    built = build_app(replace(rubies, runtimes={"ruby-3.3.99": archive}), sinatra)

    assert "Ruby 3.3.99 is not available, the stack debian-13 has 3.3." in other.log
    assert "-----> Installing Ruby 3.3.99\n" in built.log
    assert "It comes from the platform, which made it from its source" in built.log
    assert boot_web(rubies, built).status == 200


def test_a_release_from_source(rubies: Stage, sinatra: Path, tmp_path: Path) -> None:
    listed = ("3.2.9", "3.3.99", "3.4.2")
    (tmp_path / "pub" / "3.3").mkdir(parents=True)
    (tmp_path / "pub" / "3.3" / "ruby-3.3.99.tar.gz").write_text("not what was listed")
    (tmp_path / "pub" / "index.txt").write_text(
        "name\turl\tsha1\tsha256\tsha512\n"
        + "".join(
            f"ruby-{version}\thttps://x/pub/ruby-{version}.tar.{kind}\t1\t{'0' * 64}\t2\n"
            for version in listed
            for kind in ("gz", "xz")
        )
    )
    with served(tmp_path / "pub") as url:
        source = {"BUILDPACK_RUBY_SOURCE": "upstream", "BUILDPACK_RUBY_MIRROR": url}
        edit(sinatra / "Gemfile", 'gem "puma"', 'ruby "~> 3.3.0"\ngem "puma"')
        damaged = refused(rubies, sinatra, source)
        edit(sinatra / "Gemfile", "~> 3.3.0", "~> 2.7.0")
        unknown = refused(rubies, sinatra, source)

    assert "Compiling Ruby 3.3.99" in damaged
    assert "sha256 of ruby.tar.gz.part is " in damaged
    assert "Ruby ~> 2.7.0 is not available from the source 'upstream'" in unknown
    assert "Available are: 3.2.9, 3.3.99, 3.4.2." in unknown


def test_a_source_that_is_not_known(rubies: Stage, sinatra: Path) -> None:
    log = refused(rubies, sinatra, {"BUILDPACK_RUBY_SOURCE": "attic"})

    assert "BUILDPACK_RUBY_SOURCE is 'attic', which is not known here." in log
    assert "Known are: deb upstream, or the URL of an archive." in log
