"""Go apps as people write them: module, toolchain line, several programs, vendored."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from haikube.build.harness.rehearsal import Stage
from languages.conftest import Note, Sample
from languages.proof import SLUG_RATIO, build_app, prove, refused

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


def test_a_module_of_the_standard_library(stage: Stage, sample: Sample, note: Note) -> None:
    app = sample("go/net-http")
    config = {"GO_LINKER_SYMBOL": "main.version"}

    proof = prove(stage, app, config=config)

    note("go net/http", proof)
    assert proof.first.processes == {"web": "bin/hello"}
    assert proof.web.status == 200
    assert proof.web.body.startswith("Hello from net/http on go1.25.")
    assert proof.web.body.endswith("version c0ffee\n")
    assert proof.web.exit_code == 0
    assert "stopping" in proof.web.output
    assert "Installing Go" not in proof.again.log
    assert not proof.changed
    assert proof.weight <= SLUG_RATIO


def test_the_programs_and_the_version_that_comments_name(stage: Stage, sample: Sample) -> None:
    app = sample("go/net-http")
    for name in ("worker", "tool"):
        folder = app / "cmd" / name
        folder.mkdir(parents=True)
        (folder / "main.go").write_text("package main\n\nfunc main() {}\n")
    with (app / "go.mod").open("a") as module:
        module.write("\n// +heroku goVersion go1.25\n// +heroku install . ./cmd/worker\n")

    built = build_app(stage, app)

    assert built.outcome.succeeded, built.log
    assert built.processes == {"hello": "bin/hello", "worker": "bin/worker"}
    assert "(from // +heroku goVersion)" in built.log
    assert "./bin/hello\n       ./bin/worker\n" in built.log
    assert "bin/tool" not in built.log


def test_a_vendored_module_needs_no_proxy(stage: Stage, sample: Sample) -> None:
    app = sample("go/net-http")
    vendored = app / "vendor" / "example.com" / "greeting"
    vendored.mkdir(parents=True)
    (vendored / "greeting.go").write_text('package greeting\n\nconst Text = "hi"\n')
    (app / "vendor" / "modules.txt").write_text(
        "# example.com/greeting v1.0.0\n## explicit\nexample.com/greeting\n"
    )
    with (app / "go.mod").open("a") as module:
        module.write("\nrequire example.com/greeting v1.0.0\n")
    main = (app / "main.go").read_text()
    (app / "main.go").write_text(
        main.replace('"runtime"', '"runtime"\n\n\t_ "example.com/greeting"')
    )

    built = build_app(stage, app)

    assert built.outcome.succeeded, built.log


def test_a_release_that_does_not_exist_names_those_that_do(stage: Stage, sample: Sample) -> None:
    log = refused(stage, sample("go/net-http"), {"GOVERSION": "go1.25.99"})

    assert "Go 1.25.99 (from GOVERSION) is not available." in log
    assert "Available are: 1.25.0, " in log


def test_a_line_that_does_not_exist_names_the_lines(stage: Stage, sample: Sample) -> None:
    log = refused(stage, sample("go/net-http"), {"GOVERSION": "1.99"})

    assert "Go 1.99 (from GOVERSION) is not available." in log
    assert ", 1.26." in log


def test_a_version_that_is_none(stage: Stage, sample: Sample) -> None:
    log = refused(stage, sample("go/net-http"), {"GOVERSION": "latest"})

    assert "'latest' of GOVERSION is not a Go version." in log


def test_a_missing_go_sum(stage: Stage, sample: Sample) -> None:
    app = sample("go/gin")
    (app / "go.sum").unlink()

    log = refused(stage, app)

    assert "go.mod and go.sum do not fit the code." in log
    assert 'Run "go mod tidy" and commit both files.' in log


def test_code_that_does_not_compile(stage: Stage, sample: Sample) -> None:
    app = sample("go/net-http")
    (app / "main.go").write_text("package main\n\nfunc main() { undefined() }\n")

    log = refused(stage, app)

    assert "main.go:3:15: undefined: undefined" in log
    assert "The Go build failed (see above)." in log


@pytest.mark.parametrize("name", ["Gopkg.lock", "glide.yaml"])
def test_an_old_dependency_manager(stage: Stage, tmp_path: Path, name: str) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / name).touch()

    log = refused(stage, app)

    assert f"Found {name}, of a dependency manager that Go no longer supports." in log


def test_gin_with_its_toolchain_line(stage: Stage, sample: Sample, note: Note) -> None:
    proof = prove(stage, sample("go/gin"))

    note("go gin", proof)
    assert proof.web.body == "Hello from gin v1.11.0 on go1.26.6\n"
    assert proof.web.exit_code in {-signal.SIGTERM, 128 + signal.SIGTERM}
    assert not proof.changed
    assert proof.weight <= SLUG_RATIO
