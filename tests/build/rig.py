"""An engine in a temporary folder: fake buildpacks, a folder behind HTTP as storage."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from haikube.build.harness.objects import ObjectServer
from haikube.build.layout import Layout
from haikube.build.main import main

DETECT = "#!/bin/sh\necho Toy\n"
COMPILE = '#!/bin/sh\necho "-----> Toying"\n'
RELEASE = "#!/bin/sh\nprintf 'default_process_types:\\n  web: ./run\\n'\n"

Archive = Callable[..., Path]


@dataclass
class Outcome:
    code: int
    log: str
    result: Mapping[str, Any]
    termination: Mapping[str, Any]

    @property
    def failure(self) -> tuple[str, str]:
        return self.result["reason"], self.result["message"]


@dataclass
class Engine:
    """One app's storage and platform; each ``run`` is one build."""

    root: Path
    objects: ObjectServer
    capfd: pytest.CaptureFixture[str]
    config: dict[str, str] = field(default_factory=dict)
    limits: dict[str, float] = field(default_factory=dict)
    request: dict[str, Any] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    urls: dict[str, str | None] = field(default_factory=dict)
    builds: int = 0

    def buildpack(
        self,
        name: str = "toy",
        *,
        detect: str | None = DETECT,
        compile: str | None = COMPILE,  # noqa: A002 - the script's name
        release: str | None = RELEASE,
    ) -> Path:
        """Write a buildpack of ours and put it into the detection order."""
        folder = self.root / "buildpacks" / name / "bin"
        folder.mkdir(parents=True, exist_ok=True)
        for script, text in {"detect": detect, "compile": compile, "release": release}.items():
            if text is not None:
                (folder / script).write_text(text)
                (folder / script).chmod(0o755)
        with (self.root / "buildpacks" / "order.txt").open("a") as order:
            order.write(f"{name}\n")
        return folder.parent

    def run(self, files: Mapping[str, str | bytes] | None = None) -> Outcome:
        """Build these files, or the same ones again."""
        code = main(self.prepare(files))
        return self.outcome(code, self.capfd.readouterr().out)

    def outcome(self, code: int, log: str) -> Outcome:
        """Return how the current build ended."""
        result = self.objects.folder / "result-put"
        termination = json.loads(self.layout.termination.read_text())
        stored = json.loads(result.read_text()) if result.exists() else termination
        return Outcome(code, log, stored, termination)

    def prepare(self, files: Mapping[str, str | bytes] | None = None) -> Layout:
        """Write what the operator mounts."""
        self.builds += 1
        layout = self.layout
        archive = self.objects.folder / "source"
        if files is not None or not archive.exists():
            archive.write_bytes(pack(files or {}))
        platform = layout.platform
        for folder in (platform / "request", platform / "urls", platform / "env", layout.home):
            folder.mkdir(parents=True)
        (platform / "buildpacks").symlink_to(self.root / "buildpacks")
        for name, value in self.config.items():
            (platform / "env" / name).write_text(value)
        names = ("source", "cache-get", "cache-put", "slug-put", "result-put", "log-put")
        urls = {name: self.objects.url(name.replace("cache-get", "cache-put")) for name in names}
        for name, url in {**urls, **self.urls}.items():
            if url is not None:
                (platform / "urls" / name).write_text(url)
        layout.request.write_text(json.dumps(self._document(archive)))
        return layout

    @property
    def layout(self) -> Layout:
        """Return the paths of the current build."""
        root = self.root / str(self.builds)
        return Layout(
            platform=root / "haikube",
            scratch=root / "build",
            home=root / "app",
            termination=root / "termination-log",
        )

    def stored(self, name: str) -> Path:
        """Return where an upload ends up."""
        return self.objects.folder / name

    def slug(self) -> dict[str, tarfile.TarInfo]:
        """Return the members of the stored slug."""
        command = ["zstd", "-dcq", str(self.stored("slug-put"))]
        plain = subprocess.run(command, check=True, capture_output=True).stdout
        with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
            return {member.name: member for member in tar}

    def _document(self, archive: Path) -> dict[str, Any]:
        return {
            "build": "b-1",
            "app": "hello",
            "source": {
                "archive": {"digest": digest_of(archive), "sizeBytes": archive.stat().st_size}
            },
            "stack": "debian-13",
            "sourceVersion": "c0ffee",
            "limits": self.limits,
            "buildpackNames": self.names,
            **self.request,
        }


def digest_of(path: Path) -> str:
    return f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"


def pack(files: Mapping[str, str | bytes]) -> bytes:
    """Return a tar of these files; a name that ends in ``*`` is executable."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name.rstrip("*"))
            info.size = len(data)
            info.mode = 0o755 if name.endswith("*") else 0o644
            info.mtime = 1_700_000_000
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()
