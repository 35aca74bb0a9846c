"""Builds and boots apps on the stack's images, as a build pod and a dyno pod do."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from haikube.build.harness.dyno import Dyno, booted
from haikube.build.harness.rehearsal import Rehearsed, Stage, build


@dataclass
class Play:
    """How one build went."""

    outcome: Rehearsed
    log: str

    @property
    def processes(self) -> dict[str, str]:
        return {item["name"]: item["command"] for item in self.outcome.result["processTypes"]}

    @property
    def slug_megabytes(self) -> float:
        size: int = self.outcome.result["slug"]["sizeBytes"]
        return size / 1e6

    def succeeded(self) -> Play:
        assert self.outcome.succeeded, self.log
        return self

    def failed(self) -> str:
        """Return the log of a build that must not succeed."""
        assert self.outcome.exit_code == 1, self.log
        assert self.outcome.result["reason"] == "CompileFailed", self.log
        return self.log


@dataclass
class Theatre:
    """One app's storage: a second build finds the cache of the first."""

    stage: Stage
    config: dict[str, str] = field(default_factory=dict)

    @property
    def app(self) -> Path:
        folder = self.stage.workspace / "source"
        folder.mkdir(exist_ok=True)
        return folder

    def share_cache(self, other: Theatre) -> None:
        """Start with the cache that another app left."""
        name = "cache.tar.zst"
        shutil.copy(other.stage.objects.folder / name, self.stage.objects.folder / name)

    def write(self, files: Mapping[str, str]) -> None:
        for name, text in files.items():
            path = self.app / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def build(
        self,
        files: Mapping[str, str] | None = None,
        *,
        buildpacks: Sequence[Mapping[str, str]] = (),
    ) -> Play:
        self.write(files or {})
        log = self.stage.workspace / "log"
        with log.open("wb") as output:
            outcome = build(
                self.stage, self.app, config=self.config, buildpacks=buildpacks, output=output
            )
        return Play(outcome, log.read_text())

    @contextmanager
    def boot(
        self,
        result: Mapping[str, Any],
        command: str,
        name: str = "web.1",
        *,
        options: Sequence[str] = (),
        fetch: str = "/haikube/fetch",
        **env: str,
    ) -> Iterator[Dyno]:
        config = {**self.config, **env}
        with (
            self.output_file.open("wb") as output,
            booted(
                self.stage,
                result,
                command,
                config=config,
                name=name,
                options=options,
                fetch=fetch,
                output=output,
            ) as dyno,
        ):
            yield dyno

    def run(self, result: Mapping[str, Any], command: str, name: str = "run.1", **how: Any) -> str:
        """Run a one-off command to its end; returns what it printed."""
        with self.boot(result, command, name, **how) as dyno:
            dyno.wait(60)
        return self.output

    @property
    def output_file(self) -> Path:
        return self.stage.workspace / "dyno.log"

    @property
    def output(self) -> str:
        """What the last dyno printed."""
        return self.output_file.read_text()

    def pack_slug(
        self, files: Mapping[str, str], packer: Sequence[str] = ("zstd", "-c")
    ) -> Mapping[str, Any]:
        """Store a slug made by hand; returns the result of the build it stands for."""
        root = self.stage.fresh("slug")
        for name, text in files.items():
            path = root / "app" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        (root / "app").mkdir(exist_ok=True)
        plain = subprocess.run(
            ["tar", "-C", root, "-cf", "-", "./app"], check=True, capture_output=True
        ).stdout
        content = subprocess.run(packer, input=plain, check=True, capture_output=True).stdout
        (self.stage.objects.folder / "slug.tar.zst").write_bytes(content)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        return {"slug": {"digest": digest, "sizeBytes": len(content)}}
