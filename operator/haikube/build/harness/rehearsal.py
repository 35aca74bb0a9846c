"""One app through build and boot, the way the build pod and the dyno pod do it.

The workspace keeps what the object storage keeps in a cluster, so a second build of the same
workspace finds its cache.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from haikube.build.harness.objects import ObjectServer
from haikube.build.harness.sandbox import Sandbox, running

DYNO_ID: Final = 12345
_PACKAGE: Final = Path(__file__).parents[2]
_OBJECTS: Final = {
    "source": "source.tar",
    "cache-get": "cache.tar.zst",
    "cache-put": "cache.tar.zst",
    "slug-put": "slug.tar.zst",
    "result-put": "result.json",
    "log-put": "build.log",
}


@dataclass(frozen=True, slots=True)
class Stage:
    """Where a rehearsal takes place."""

    stack: str
    build_rootfs: Path
    run_rootfs: Path
    process_one: Path
    buildpacks: Path
    workspace: Path
    objects: ObjectServer
    platform_env: Mapping[str, str] = field(default_factory=dict)
    ca_bundle: Path | None = None
    runtimes: Mapping[str, Path] = field(default_factory=dict)
    """Archives that the platform has made, by name."""

    def fresh(self, name: str) -> Path:
        """Return an empty folder of the workspace."""
        folder = self.workspace / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder


@dataclass(frozen=True, slots=True)
class Rehearsed:
    """How a build ended."""

    exit_code: int
    result: Mapping[str, Any]

    @property
    def succeeded(self) -> bool:
        """Tell whether there is a slug."""
        return bool(self.result.get("ok"))


def build(
    stage: Stage,
    app: Path,
    *,
    config: Mapping[str, str] | None = None,
    buildpacks: Sequence[Mapping[str, str]] = (),
    limits: Mapping[str, int] | None = None,
    version: str = "0" * 40,
    output: IO[bytes] | int | None = None,
) -> Rehearsed:
    """Build the app's folder; its log goes to ``output``, else to where this process prints."""
    digest, size = _pack_source(app, stage.objects.folder / _OBJECTS["source"])
    request = {
        "build": "rehearsal",
        "app": app.name,
        "source": {"archive": {"digest": digest, "sizeBytes": size}},
        "stack": stage.stack,
        "alias": stage.stack,
        "runtimes": {name: _digest(path) for name, path in stage.runtimes.items()},
        "buildpacks": list(buildpacks),
        "sourceVersion": version,
        "limits": dict(limits or {}),
    }
    platform = _platform(stage, request, config or {})
    scratch = stage.fresh("build")
    binds = {**platform, **_owned(scratch, ("build", "app"))}
    sandbox = Sandbox(stage.build_rootfs, scratch / "sandbox", writable=False, binds=binds)
    env = {**stage.platform_env, "HOME": "/app"}
    with running(sandbox, ["/usr/local/bin/haikube-build"], env, output) as process:
        code = process.wait()
    return Rehearsed(code, _result(stage.objects.folder / _OBJECTS["result-put"]))


def _digest(path: Path) -> str:
    with path.open("rb") as content:
        return f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"


def _pack_source(app: Path, target: Path) -> tuple[str, int]:
    with tarfile.open(target, "w") as tar:
        tar.add(app, arcname=".")
    content = target.read_bytes()
    return f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)


def _platform(
    stage: Stage, request: Mapping[str, Any], config: Mapping[str, str]
) -> dict[str, Path]:
    """Write what the operator mounts; returns it by path in the pod."""
    mounted = stage.fresh("platform")
    (mounted / "request").mkdir()
    (mounted / "request" / "request.json").write_text(json.dumps(request), "utf-8")
    (mounted / "urls").mkdir()
    for name, key in _OBJECTS.items():
        (mounted / "urls" / name).write_text(stage.objects.url(key), "utf-8")
    for name, path in stage.runtimes.items():
        shutil.copy(path, stage.objects.folder / f"runtime-{name}")
        url = stage.objects.url(f"runtime-{name}")
        (mounted / "urls" / f"runtime-{name}").write_text(url, "utf-8")
    (mounted / "env").mkdir()
    for name, value in config.items():
        (mounted / "env" / name).write_text(value, "utf-8")
    result = stage.objects.folder / _OBJECTS["result-put"]
    result.unlink(missing_ok=True)
    binds = {f"haikube/{name}": mounted / name for name in ("request", "urls", "env")}
    if stage.ca_bundle:
        binds["haikube/ca/ca-bundle.crt"] = stage.ca_bundle
    binds["haikube/lib/haikube"] = _PACKAGE
    binds["haikube/buildpacks"] = stage.buildpacks
    binds["usr/local/bin/haikube-build"] = stage.buildpacks / "launcher" / "haikube-build"
    binds["haikube/stack/run-dpkg-status"] = stage.run_rootfs / "var/lib/dpkg/status"
    return binds


def _owned(scratch: Path, names: Sequence[str]) -> dict[str, Path]:
    folders = {name: scratch / name for name in names}
    for folder in folders.values():
        folder.mkdir()
        if os.geteuid() == 0:
            os.chown(folder, DYNO_ID, DYNO_ID)
        else:
            folder.chmod(0o777)
    return folders


def _result(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        return {}
    document: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return document
