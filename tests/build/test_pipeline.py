from __future__ import annotations

import json

import pytest

from build.rig import Engine, digest_of

EXPECTED_LOG = """\
-----> Building on the Debian-13 stack
-----> Determining which buildpack to use for this app
-----> Toy app detected
-----> Toying
-----> Discovering process types
       Procfile declares types     -> worker
       Default types for buildpack -> web

-----> Compressing...
       Done: 0.0M
"""


def test_a_build_prints_what_heroku_prints_and_hands_back_a_slug(engine: Engine) -> None:
    engine.buildpack()
    done = engine.run({"Procfile": "worker: ./work\n", "run*": "#!/bin/sh\n", "work*": ""})
    assert done.code == 0
    assert done.log == EXPECTED_LOG
    slug = engine.stored("slug-put")
    assert done.result == {
        "ok": True,
        "slug": {"digest": digest_of(slug), "sizeBytes": slug.stat().st_size},
        "processTypes": [
            {"name": "worker", "command": "./work"},
            {"name": "web", "command": "./run"},
        ],
        "buildpacks": ["heroku/toy"],
        "language": "Toy",
        "commit": "c0ffee",
        "truncated": False,
    }
    assert done.termination == done.result
    assert engine.stored("log-put").read_text() == EXPECTED_LOG


def test_the_slug_is_owned_by_the_dyno_and_lies_below_app(engine: Engine) -> None:
    engine.buildpack(
        compile="#!/bin/sh\ncd $1 && ln -s ./run link && ln run hard && ln -s /app/run abs\n"
    )
    assert engine.run({"run*": "#!/bin/sh\n", ".git/config": "x", ".gitmodules": "x"}).code == 0
    members = engine.slug()
    assert set(members) == {"./app", "./app/run", "./app/link", "./app/hard", "./app/abs"}
    assert {(member.uid, member.gid) for member in members.values()} == {(12345, 12345)}
    assert members["./app/link"].linkname == "./run"
    assert members["./app/abs"].linkname == "/app/run"
    first, second = members["./app/hard"], members["./app/run"]
    assert second.islnk()
    assert second.linkname == first.name == "./app/hard"
    assert first.mode == 0o755
    assert first.mtime == 1_700_000_000


def test_the_same_content_makes_the_same_slug(engine: Engine) -> None:
    engine.buildpack(compile="#!/bin/sh\nfind $1 -exec touch -d @1700000000 {} +\n")
    first = engine.run({"a/b": "x", "z": "y"}).result["slug"]
    assert engine.run().result["slug"] == first


def test_a_buildpack_finds_its_folders_and_a_small_clean_environment(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("KUBERNETES_PORT", "PYTHONPATH", "DYNO"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("MIRROR", "of the platform")
    engine.config = {"SECRET": "a\nb", "PATH": "/evil", "bad-name": "x"}
    engine.request = {"alias": "heroku-24"}
    engine.buildpack(
        compile="""#!/bin/bash
        env | sort > $1/env; pwd > $1/cwd; ls $3 > $1/names; cat $3/SECRET > $1/secret
        echo "$1 $2 $3" > $1/arguments; test -w $2 && touch $2/kept
        stat -c %a $3/SECRET > $1/mode
        """
    )
    assert engine.run({"x": ""}).code == 0
    built, layout = engine.layout.build_dir, engine.layout
    environment = dict(line.split("=", 1) for line in (built / "env").read_text().splitlines())
    assert environment["STACK"] == "heroku-24"
    assert environment["HAIKUBE_STACK"] == "debian-13"
    assert environment["SOURCE_VERSION"] == "c0ffee"
    assert environment["REQUEST_ID"] == "b-1"
    assert environment["HOME"] == str(layout.home)
    assert environment["MIRROR"] == "of the platform"
    assert not {"SECRET", "PYTHONPATH", "KUBERNETES_PORT", "DYNO"} & environment.keys()
    assert "/evil" not in environment["PATH"]
    assert (built / "names").read_text().split() == ["PATH", "SECRET"]
    assert (built / "secret").read_text() == "a\nb"
    assert (built / "mode").read_text() == "600\n"
    assert (built / "arguments").read_text().split() == [
        str(folder) for folder in (layout.build_dir, layout.cache_dir, layout.env_dir)
    ]


def test_buildpacks_run_in_order_and_hand_on_their_exports(engine: Engine) -> None:
    export = """#!/bin/bash
    echo "export FROM_ONE='a b'" > "$(dirname "$0")/../export"
    """
    engine.buildpack("one", compile=export, release="#!/bin/sh\necho 'default_process_types: {}'")
    engine.buildpack("two", compile='#!/bin/sh\necho "got $FROM_ONE"', detect="#!/bin/sh\necho Two")
    engine.request = {"buildpacks": [{"name": "heroku/one"}, {"name": "two"}]}
    done = engine.run({"x": ""})
    assert "-----> Using buildpacks:\n       1. heroku/one\n       2. two\n" in done.log
    assert "\ngot a b\n" in done.log
    assert done.result["language"] == "Two"
    assert done.result["buildpacks"] == ["heroku/one", "two"]
    assert done.result["processTypes"] == [{"name": "web", "command": "./run"}]


def test_slugignore_is_applied_before_the_buildpacks(engine: Engine) -> None:
    engine.buildpack(compile="#!/bin/sh\nls $1; ls $1 | wc -l\n")
    done = engine.run({".slugignore": "*.psd\n/docs\n", "a.psd": "", "docs/x": "", "kept": ""})
    assert "-----> Deleting 2 files matching .slugignore patterns." in done.log
    assert "kept\n1\n" in done.log


def test_the_cache_comes_back_and_is_stored_only_when_it_changed(engine: Engine) -> None:
    count = """#!/bin/bash
    cd $2; n=$(cat n 2>/dev/null || echo 0); echo "builds: $n"
    [ "$n" -ge 2 ] || echo $((n+1)) > n
    """
    engine.buildpack(compile=count)
    cache = engine.stored("cache-put")
    assert "builds: 0" in engine.run({"x": ""}).log
    assert "builds: 1" in engine.run().log
    cache_before = cache.stat().st_mtime_ns
    assert "builds: 2" in engine.run().log
    assert cache.stat().st_mtime_ns == cache_before


def test_a_damaged_cache_only_makes_the_build_slower(engine: Engine) -> None:
    engine.buildpack(compile="#!/bin/sh\nls $2 | wc -l\n")
    engine.stored("cache-put").write_bytes(b"no zstd")
    done = engine.run({"x": ""})
    assert done.code == 0
    assert " !     The build cache is damaged and starts empty" in done.log
    assert "\n0\n" in done.log


def test_a_long_list_of_processes_does_not_fit_the_termination_message(engine: Engine) -> None:
    engine.buildpack()
    procfile = "".join(f"type{number}: echo {number:040}\n" for number in range(200))
    done = engine.run({"Procfile": procfile})
    assert len(done.result["processTypes"]) == 201
    assert done.termination["truncated"] is True
    assert "processTypes" not in done.termination
    assert len(json.dumps(done.termination)) < 4096


def test_buildpacks_are_chosen_by_config_then_app_json_then_dot_buildpacks(engine: Engine) -> None:
    for name in ("one", "two", "three", "four"):
        engine.buildpack(name)
    files = {
        "app.json": '{"buildpacks": [{"url": "urn:buildpack:heroku/three"}]}',
        ".buildpacks": "# comment\nheroku/two # why\n\n",
    }
    dot = {".buildpacks": files[".buildpacks"]}
    assert engine.run(dot).result["buildpacks"] == ["heroku/two"]
    assert engine.run(files).result["buildpacks"] == ["urn:buildpack:heroku/three"]
    engine.config = {"BUILDPACK_URL": "heroku/four\n"}
    assert engine.run(files).result["buildpacks"] == ["heroku/four"]
    engine.request = {"buildpacks": [{"name": "one"}]}
    assert engine.run(files).result["buildpacks"] == ["one"]


KNOWS = "#!/bin/sh\n[ -e $1/{0}.json ] && echo {0}-ish\n"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ("one two four", "one-ish, two-ish, four-ish"),
        ("two four", "two-ish, four-ish"),
        ("two", ""),
        ("two static procfile", ""),
    ],
)
def test_an_app_of_several_languages_is_told_which_one_it_is(
    engine: Engine, files: str, told: str
) -> None:
    for name in ("one", "two", "four", "static", "procfile"):
        engine.buildpack(name, detect=KNOWS.format(name))
    done = engine.run({f"{name}.json": "" for name in files.split()})
    first, second, *_ = [*files.split(), ""]
    assert done.result["buildpacks"] == [f"heroku/{first}"]
    said = (
        f" !     Several buildpacks know this app ({told}); the first builds it. To use more than"
    )
    assert (said in done.log) is bool(told)
    remedy = f"heroku buildpacks:set heroku/{second} && heroku buildpacks:add heroku/{first}\n"
    assert (f" !     {remedy}" in done.log) is bool(told)


@pytest.mark.parametrize("text", ["{,}", '{"buildpacks": [],}', "// expo\n{}", ""])
def test_an_app_json_that_is_none_stops_no_push(engine: Engine, text: str) -> None:
    engine.buildpack()
    done = engine.run({"app.json": text})
    assert done.code == 0
    assert " !     app.json is not JSON (" in done.log
    assert "): the buildpacks that it names are not used.\n" in done.log


@pytest.mark.parametrize("text", ['{"expo": {}}', "[]", '"x"', '{"buildpacks": null}'])
def test_an_app_json_of_something_else_is_no_news(engine: Engine, text: str) -> None:
    engine.buildpack()
    done = engine.run({"app.json": text})
    assert (done.code, "app.json" in done.log) == (0, False)


@pytest.mark.parametrize("listed", ['["heroku/toy"]', '[{"name": "heroku/toy"}]', "7"])
def test_buildpacks_of_app_json_that_cannot_be_understood(engine: Engine, listed: str) -> None:
    engine.buildpack()
    reason, message = engine.run({"app.json": f'{{"buildpacks": {listed}}}'}).failure
    assert reason == "BuildpackInvalid"
    assert 'buildpacks are listed as {"buildpacks": [{"url": "heroku/nodejs"}]}' in message


def test_a_warning_is_printed_for_a_big_slug(engine: Engine) -> None:
    engine.buildpack()
    engine.limits = {"slugWarningBytes": 10}
    done = engine.run({"x": ""})
    assert done.code == 0
    assert "exceeds our soft limit (0.0M) which may affect boot time." in done.log


def test_a_cache_over_its_limit_is_not_saved(engine: Engine) -> None:
    engine.buildpack(compile="#!/bin/sh\nhead -c 3000 /dev/urandom > $2/cached\n")
    engine.limits = {"cacheBytes": 2000}
    done = engine.run({"x": ""})
    assert done.code == 0
    assert " !     The build cache has " in done.log
    assert "over its limit of 2000: it was not saved" in done.log
    assert not engine.stored("cache-put").exists()
