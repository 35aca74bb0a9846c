"""What every language must show: build, boot, answer, stop politely, rebuild from the cache.

A proof takes a real app through the engine, the stack's images and process 1, without a cluster.
It asserts nothing itself: the tests do.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from haikube.build.harness.dyno import booted
from haikube.build.harness.rehearsal import Rehearsed, Stage, build
from languages.slug import carried_bytes, content, differences

CACHED_RATIO = 0.4
"""A rebuild of what did not change should take at most this part of the first build.

The table says whether it did: a time is no reason to fail a test.
"""

SLUG_RATIO = 1.2
"""A slug is at most this many times as large as its runtime and packages alone."""


@dataclass(frozen=True, slots=True)
class Built:
    """One build of an app."""

    outcome: Rehearsed
    log: str
    seconds: float

    @property
    def slug_bytes(self) -> int:
        """Return the size of the slug."""
        return int(self.outcome.result["slug"]["sizeBytes"])

    @property
    def processes(self) -> Mapping[str, str]:
        """Return the commands by process type."""
        return {item["name"]: item["command"] for item in self.outcome.result["processTypes"]}


@dataclass(frozen=True, slots=True)
class Web:
    """What the web process did."""

    status: int
    body: str
    boot_seconds: float
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class Proof:
    """A first build, its web process and a rebuild."""

    first: Built
    web: Web
    again: Built
    carried: int
    """Bytes of the runtime and the packages alone, packed as slugs are."""
    changed: Sequence[str]
    """Paths that the two slugs do not have in common: a rebuild gives what a first build gives."""

    @property
    def ratio(self) -> float:
        """Return the time of the rebuild in parts of the first build's."""
        return self.again.seconds / self.first.seconds

    @property
    def heading(self) -> str:
        """Return what stands above the columns of ``row``."""
        return HEADING

    @property
    def weight(self) -> float:
        """Return the size of the slug in parts of what it must carry."""
        return self.first.slug_bytes / self.carried

    def row(self) -> str:
        """Return one line for the table of a test run."""
        kept = "yes" if self.ratio <= CACHED_RATIO else "NO"
        return (
            f"{self.first.seconds:7.1f} {self.again.seconds:7.1f} {self.ratio:6.2f} {kept:>5} "
            f"{self.first.slug_bytes / 1e6:8.1f} {self.web.boot_seconds:6.1f} "
            f"{self.weight:6.2f} {len(self.changed):7d}"
        )


HEADING = (
    f"{'first s':>7} {'again s':>7} {'ratio':>6} {f'<={CACHED_RATIO}':>5} {'slug MB':>8} "
    f"{'boot s':>6} {'weight':>6} {'changed':>7}"
)


def build_app(
    stage: Stage, app: Path, config: Mapping[str, str] | None = None, **names: str
) -> Built:
    """Build an app; ``buildpack=NAME`` chooses one instead of detecting it."""
    chosen = [{"name": names["buildpack"]}] if "buildpack" in names else []
    stage.fresh("build")  # to remove the files of the last build is no part of this one
    with tempfile.TemporaryFile() as output:
        started = time.monotonic()
        outcome = build(
            stage, app, config=config, buildpacks=chosen, version="c0ffee", output=output
        )
        seconds = time.monotonic() - started
        output.seek(0)
        return Built(outcome, output.read().decode(errors="replace"), seconds)


def boot_web(
    stage: Stage,
    built: Built,
    *,
    path: str = "/",
    config: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Web:
    """Start the web process, ask it once and stop it."""
    with tempfile.TemporaryFile() as output:
        command = built.processes["web"]
        with booted(stage, built.outcome.result, command, config=config, output=output) as dyno:
            started = time.monotonic()
            answer = dyno.get(path, headers=headers)
            seconds = time.monotonic() - started
            code = dyno.stop()
        output.seek(0)
        printed = output.read().decode(errors="replace")
    return Web(answer.status, answer.body.decode(errors="replace"), seconds, code, printed)


def one_off(
    stage: Stage, built: Built, command: str, config: Mapping[str, str] | None = None
) -> str:
    """Run a command on the slug, as ``run`` does; returns what it printed."""
    assert built.outcome.succeeded, built.log
    with tempfile.TemporaryFile() as output:
        result = built.outcome.result
        with booted(stage, result, command, config=config, name="run.1", output=output) as dyno:
            code = dyno.wait(60)
        output.seek(0)
        printed = output.read().decode(errors="replace")
    assert code == 0, printed
    return printed


def prove(
    stage: Stage,
    app: Path,
    *,
    path: str = "/",
    config: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Proof:
    """Take an app all the way from an empty cache; fails with the log when it does not build."""
    slug = stage.objects.folder / "slug.tar.zst"
    (stage.objects.folder / "cache.tar.zst").unlink(missing_ok=True)
    first = build_app(_apart(stage), app, config)
    assert first.outcome.succeeded, first.log
    web = boot_web(_apart(stage), first, path=path, config=config, headers=headers)
    held, carried = content(slug), carried_bytes(slug)
    again = build_app(_apart(stage), app, config)
    assert again.outcome.succeeded, again.log
    return Proof(first, web, again, carried, differences(held, content(slug)))


def _apart(stage: Stage) -> Stage:
    """Return the stage in a folder of its own, as each pod has one.

    Nothing is removed between two measured builds: ext4 without a journal passes over the inodes
    freed in the last minutes, which makes thousands of new files take seconds.
    """
    return replace(stage, workspace=Path(tempfile.mkdtemp(dir=stage.workspace)))


def refused(stage: Stage, app: Path, config: Mapping[str, str] | None = None) -> str:
    """Return the log of a build that its buildpack ends."""
    built = build_app(stage, app, config)
    assert built.outcome.exit_code == 1, built.log
    assert built.outcome.result["reason"] == "CompileFailed", built.log
    return built.log
