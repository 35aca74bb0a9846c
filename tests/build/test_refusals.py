"""Bad input: what people read, and what the operator is told."""

from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from build.rig import Engine
from haikube.build.main import main


def is_running(pid: int) -> bool:
    """A zombie that init has not reaped yet does not run."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in {"Z", "X"}


def is_gone(pid: int, seconds: float = 10) -> bool:
    """Tell whether a process that was killed has ended: on a busy machine that takes a moment."""
    end = time.monotonic() + seconds
    while is_running(pid) and time.monotonic() < end:
        time.sleep(0.02)
    return not is_running(pid)


NOT_MINE = "#!/bin/sh\necho 'looked for toy.json' >&2\nexit 1\n"


def test_no_buildpack_matches(engine: Engine) -> None:
    engine.buildpack(detect=NOT_MINE)
    done = engine.run({"index.cobol": ""})
    assert done.code == 1
    reason, message = done.failure
    assert reason == "NoBuildpackMatches"
    assert "requirements.txt or package.json" in message
    assert " !     No default language could be detected for this app.\n" in done.log
    assert "HINT" in done.log
    assert done.log.endswith("\n !     Push failed\n")


WITH_FILE = "#!/bin/sh\n[ -f $1/toy.json ] && echo Toy\n"


def test_no_buildpack_matches_the_root_but_folders_do(engine: Engine) -> None:
    engine.buildpack(detect=WITH_FILE)
    hidden = ["node_modules/x/toy.json", ".github/toy.json", "a/b/c/d/toy.json"]
    apps = ["apps/web/toy.json", "apps/admin/toy.json", "apps/web/inner/toy.json"]
    done = engine.run(dict.fromkeys([*hidden, *apps, "packages/shared/x.py"], ""))
    reason, message = done.failure
    assert reason == "NoBuildpackMatches"
    assert message.endswith("would take apps/admin, apps/web: haikube path apps/admin")
    assert "a buildpack would take apps/admin, apps/web." in done.log
    assert "To name it: haikube path apps/admin" in done.log


def test_a_chosen_buildpack_that_does_not_fit(engine: Engine) -> None:
    engine.buildpack(detect=NOT_MINE)
    engine.request = {"buildpacks": [{"name": "heroku/toy"}]}
    done = engine.run({"x": ""})
    assert done.failure[0] == "NoBuildpackMatches"
    assert " !     App not compatible with buildpack: heroku/toy\n" in done.log
    assert "       looked for toy.json\n" in done.log


def test_an_unknown_buildpack(engine: Engine) -> None:
    engine.buildpack()
    engine.request = {"buildpacks": [{"name": "heroku/cobol"}]}
    reason, message = engine.run({"x": ""}).failure
    assert reason == "BuildpackNotFound"
    assert "'heroku/cobol'" in message
    assert "known are toy" in message


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc", "scheme 'file' is not allowed"),
        ("https://me:hunter2@example.com/pack.git", "user name or password"),
        ("ssh://example.com/pack.git", "scheme 'ssh'"),
        ("me:hunter2@example.com/pack.git", "no buildpack 'example.com/pack.git'"),
        ("http://127.0.0.1:1/pack.tgz", "could not be fetched"),
        ("http://127.0.0.1:1/pack.git#main", "git fetch failed"),
    ],
)
def test_a_buildpack_url_that_cannot_be_used(engine: Engine, url: str, words: str) -> None:
    engine.request = {"buildpacks": [{"url": url}]}
    done = engine.run({"x": ""})
    reason, message = done.failure
    assert reason == "BuildpackNotFound"
    assert words in message
    assert "hunter2" not in message + done.log


@pytest.mark.parametrize("script", ["detect", "compile"])
def test_a_buildpack_without_its_scripts(engine: Engine, script: str) -> None:
    (engine.buildpack() / "bin" / script).unlink()
    engine.request = {"buildpacks": [{"name": "heroku/toy"}]}
    reason, message = engine.run({"x": ""}).failure
    assert reason == "BuildpackInvalid"
    assert f"no executable bin/{script}" in message


def test_a_script_without_an_interpreter(engine: Engine) -> None:
    engine.buildpack(detect="#!/no/such/shell\n")
    reason, message = engine.run({"x": ""}).failure
    assert reason == "BuildpackInvalid"
    assert "check its first line" in message


def test_a_failing_compile(engine: Engine) -> None:
    engine.buildpack(compile="#!/bin/sh\necho 'ERROR: no such thing'\nexit 3\n")
    done = engine.run({"x": ""})
    reason, message = done.failure
    assert done.code == 1
    assert reason == "CompileFailed"
    assert "exit code 3" in message
    assert done.log.endswith(
        "ERROR: no such thing\n\n !     Push rejected, failed to compile Toy app.\n\n"
        " !     Push failed\n"
    )
    assert not engine.stored("slug-put").exists()
    assert not engine.stored("cache-put").exists()


def test_a_failing_release_script(engine: Engine) -> None:
    engine.buildpack(release="#!/bin/sh\necho 'no ruby' >&2\nexit 2\n")
    reason, message = engine.run({"x": ""}).failure
    assert reason == "ReleaseScriptFailed"
    assert "exited with 2: no ruby" in message


def test_a_release_script_that_prints_no_mapping(engine: Engine) -> None:
    engine.buildpack(release="#!/bin/sh\nprintf 'default_process_types:\\n  - web\\n'\n")
    reason, message = engine.run({"x": ""}).failure
    assert reason == "ReleaseScriptFailed"
    assert "line 2" in message


def test_a_broken_procfile_line(engine: Engine) -> None:
    engine.buildpack()
    done = engine.run({"Procfile": "web: ok\nworker: half \\\n  a command\n"})
    reason, message = done.failure
    assert reason == "ProcfileInvalid"
    assert "line 2" in message
    assert "ends in \\ and goes on in the next" in message
    assert f" !     {message}\n" in done.log


def test_nothing_to_run(engine: Engine) -> None:
    engine.buildpack(release="#!/bin/sh\necho '--- {}'\n")
    done = engine.run({"x": ""})
    reason, message = done.failure
    assert reason == "NoProcessTypes"
    assert "add a file named Procfile with a line such as 'web: python app.py'" in message
    assert "Procfile declares types -> (none)" in done.log


def test_a_procfile_that_is_a_link_counts_as_none(engine: Engine) -> None:
    engine.buildpack(compile="#!/bin/sh\nln -s /etc/passwd $1/Procfile\n", release="#!/bin/sh\n")
    assert engine.run({"x": ""}).failure[0] == "NoProcessTypes"


def test_a_slug_over_its_limit(engine: Engine) -> None:
    engine.buildpack()
    engine.limits = {"slugBytes": 1_100_000}
    done = engine.run({"random": os.urandom(1_500_000)})
    reason, message = done.failure
    assert reason == "SlugTooLarge"
    assert message.startswith("Compiled slug size: 1.5M is too large (max is 1.1M)")
    assert ".slugignore" in message
    assert not engine.stored("slug-put").exists()


def test_a_build_over_its_time_leaves_no_process(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haikube.build.child._TERM_SECONDS", 0.1)
    engine.buildpack(
        compile="#!/bin/bash\ntrap '' TERM\n(trap '' TERM; while :; do sleep 0.1; done) &\n"
        "echo $! > $1/pid\nwait\n"
    )
    engine.limits = {"timeoutSeconds": 5}
    done = engine.run({"x": ""})
    reason, message = done.failure
    assert reason == "BuildTimedOut"
    assert "longer than 5 s" in message
    assert "buildTimeoutSeconds" in message
    child = int((engine.layout.build_dir / "pid").read_text())
    assert is_gone(child)


def test_a_background_process_does_not_hold_the_build_up(engine: Engine) -> None:
    engine.buildpack(compile="#!/bin/sh\nsleep 60 &\necho done\n")
    before = time.monotonic()
    assert engine.run({"x": ""}).code == 0
    assert time.monotonic() - before < 10


def test_nor_does_one_that_goes_on_talking(engine: Engine) -> None:
    engine.buildpack(compile="#!/bin/bash\nwhile :; do echo noise; sleep 0.05; done &\necho done\n")
    before = time.monotonic()
    assert engine.run({"x": ""}).code == 0
    assert time.monotonic() - before < 20


def test_a_canceled_build_ends_whatever_does_not_listen(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("haikube.build.child._TERM_SECONDS", 0.1)
    engine.buildpack(
        compile="#!/bin/bash\ntrap '' TERM\necho $$ > $1/pid\n"
        f"kill -TERM {os.getpid()}\nwhile :; do sleep 0.1; done\n"
    )
    done = engine.run({"x": ""})
    assert done.code == 143
    assert is_gone(int((engine.layout.build_dir / "pid").read_text()))


def test_a_canceled_build(engine: Engine) -> None:
    engine.buildpack(compile=f"#!/bin/sh\nkill -TERM {os.getpid()}\nsleep 60\n")
    done = engine.run({"x": ""})
    assert done.code == 143
    assert done.failure == ("Canceled", "The build was stopped from outside")
    assert "The build was stopped from outside" in engine.stored("log-put").read_text()


def test_a_source_that_is_not_what_was_declared(engine: Engine) -> None:
    engine.request = {"source": {"archive": {"digest": "sha256:" + "0" * 64, "sizeBytes": 1}}}
    reason, message = engine.run({"x": ""}).failure
    assert reason == "SourceInvalid"
    assert "sha256:000" in message


def test_a_source_over_its_limit(engine: Engine) -> None:
    engine.limits = {"sourceBytes": 5_000}
    reason, message = engine.run({"x": b"x" * 10_000}).failure
    assert reason == "SourceTooLarge"
    assert "5000 bytes" in message


GONE = "http://127.0.0.1:1/gone?X-Amz-Signature=secret"


def test_a_slug_that_cannot_be_stored_is_not_the_users_fault(engine: Engine) -> None:
    engine.buildpack()
    engine.urls = {"slug-put": GONE}
    done = engine.run({"x": ""})
    assert done.code == 75
    reason, message = done.failure
    assert reason == "StorageUnavailable"
    assert "tried 5 times" in message
    assert "secret" not in done.log + message
    assert message in done.log
    assert "Push failed" not in done.log  # another pod tries again


def test_a_storage_that_is_away_before_the_build_ends_it_soon(engine: Engine) -> None:
    engine.buildpack()
    engine.urls = dict.fromkeys(("result-get", "source", "result-put", "log-put"), GONE)
    done = engine.run({"x": ""})
    assert done.code == 1, "who pushed can push again sooner than another pod starts"
    assert done.termination["reason"] == "StorageUnavailable"
    message = done.termination["message"]
    assert "nothing is lost, push again when the storage answers" in message
    assert "tried once" in message, "what was waited for already is not waited for again"
    assert "secret" not in done.log + message
    waiting, failed = done.log.index("127.0.0.1:1 does not answer"), done.log.index(message)
    assert waiting < failed < done.log.index("Push failed")


def test_a_storage_that_takes_neither_result_nor_log(engine: Engine) -> None:
    engine.buildpack()
    engine.urls = {"result-put": "http://127.0.0.1:1/a", "log-put": "http://127.0.0.1:1/b"}
    done = engine.run({"x": ""})
    assert done.code == 0
    assert done.termination["ok"] is True


def test_a_full_disk(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("haikube.build.source.unpack", full)
    done = engine.run({"x": ""})
    assert done.failure[0] == "DiskFull"
    assert "filled its disk" in done.log


def test_a_compile_that_fills_the_disk(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("haikube.build.causes.is_full", lambda _folder: True)
    engine.buildpack(compile="#!/bin/sh\necho 'write error: No space left on device'\nexit 1\n")
    assert engine.run({"x": ""}).failure[0] == "DiskFull"


def test_a_fault_of_the_engine_is_not_the_users(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("haikube.build.main.Pipeline", broken)
    assert main(engine.prepare({"x": ""})) == 70
    assert "ZeroDivisionError" in capfd.readouterr().err


def test_a_log_without_end_is_cut_but_keeps_its_last_words(engine: Engine) -> None:
    noisy = "#!/bin/bash\nyes 'noise noise' | head -n 200000\nprintf '\\xff\\xfe binary\\n'\n"
    engine.buildpack(compile=noisy + "echo 'the last words'\nexit 1\n")
    engine.limits = {"logBytes": 100_000}
    done = engine.run({"x": ""})
    assert "lines left out" in done.log
    assert "\ufffd\ufffd binary\nthe last words\n" in done.log
    assert engine.stored("log-put").stat().st_size < 150_000


def test_threads_do_not_stay() -> None:
    assert all(
        thread.daemon or thread is threading.main_thread() for thread in threading.enumerate()
    )


def test_sigterm_is_back_to_normal() -> None:
    assert signal.getsignal(signal.SIGTERM) is not signal.SIG_IGN


def test_a_config_var_with_which_no_program_starts(engine: Engine) -> None:
    engine.buildpack()
    engine.config = {"BIG": "x" * 140_000, "SMALL": "y"}
    reason, message = engine.run({"x": ""}).failure
    assert reason == "InvalidConfigVar"
    assert message.startswith("The config var BIG has 140,005 bytes with its name")


def test_a_config_var_that_no_container_can_be_given(engine: Engine) -> None:
    engine.buildpack()
    engine.config = {"ZERO": "a\0b", "SMALL": "y"}
    reason, message = engine.run({"x": ""}).failure
    assert reason == "InvalidConfigVar"
    assert message.startswith("The value of the config var ZERO is no text (UTF-8 without zero")
