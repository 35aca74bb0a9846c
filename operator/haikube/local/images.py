"""The images of this checkout: which there are, what is in each, and their names by role.

An image is a cached base (a root filesystem or one static binary) with a small layer of our own
code on top, so a change of code makes a new tag and imports again within seconds.
"""

from __future__ import annotations

import json
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from haikube.local import tools
from haikube.local.archive import Image
from haikube.local.layer import Entry, Layer, tree_entries, write_layer
from haikube.local.options import LocalOptions
from haikube.local.paths import PACKAGE, Paths, data_root, lock_file
from haikube.local.rootfs import Rootfs, make_rootfs, make_site

PREFIX = "localhost/haikube"
STACK = "debian-13"
_DYNO_USER = "12345:12345"
_SERVICE_USER = "65532:65532"
_PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_BUILD_ENGINE = ("build", "model")
_NOT_IN_BUILDS = ("stacks", "samples", "tests")


@dataclass(frozen=True, slots=True)
class ImageSources:
    """Where images are made from: the checkout (or wheel), the caches and the options."""

    paths: Paths
    data: Path
    package: Path
    lock: Path
    options: LocalOptions

    @classmethod
    def default(cls) -> Self:
        """Return those of this checkout or wheel."""
        return cls(Paths.default(), data_root(), PACKAGE.parent, lock_file(), LocalOptions())

    @property
    def stack(self) -> Path:
        """Folder of the stack's package lists."""
        return self.data / "buildpacks" / "stacks" / STACK

    def rootfs(self, *lists: str) -> Layer:
        """Return the root filesystem of some of the stack's lists."""
        return make_rootfs(Rootfs.of(self.stack, lists, self.options.mirror), self.paths.layers)

    def layer(self, entries: dict[str, Entry]) -> Layer:
        """Return a layer of these entries."""
        return write_layer(entries, self.paths.layers)


def recipes() -> dict[str, Callable[[ImageSources], Image]]:
    """Return how to make the image of each role; the keys are those of ``images.json``."""
    return {
        "pause": pause_image,
        "run": run_image,
        "build": build_image,
        "platform": platform_image,
        "gateway": gateway_image,
        "storage": storage_image,
        "collector": collector_image,
        "log-store": log_store_image,
    }


def pause_image(sources: ImageSources) -> Image:
    """Return the image that holds a pod's namespaces."""
    layer = sources.layer({"pause": Entry(tools.pause(sources.paths), 0o755)})
    return Image(f"{PREFIX}/pause", [layer], {"Entrypoint": ["/pause"], "User": "65535:65535"})


def run_image(sources: ImageSources) -> Image:
    """Return the image that dynos run on: shared libraries and what starts a dyno, no compiler."""
    folder = sources.data / "buildpacks" / "launcher"
    ours = {f"haikube/{name}": Entry(folder / name, 0o755) for name in ("fetch", "start")}
    ours["haikube/dyno"] = Entry(tools.dyno(sources.paths, folder / "dyno"), 0o755)
    layers = [sources.rootfs("run"), sources.layer(ours)]
    entrypoint = ["/haikube/dyno", "--first", "/haikube/fetch", "--", "/haikube/start"]
    return Image(f"{PREFIX}/run-{STACK}", layers, _dyno_config(Entrypoint=entrypoint))


def build_image(sources: ImageSources) -> Image:
    """Return the image that builds run on: compilers, the build engine and the buildpacks."""
    entries = build_entries(sources) | run_status(sources.rootfs("run"))
    layers = [sources.rootfs("run", "build"), sources.layer(entries)]
    return Image(f"{PREFIX}/build-{STACK}", layers, _dyno_config(Cmd=["haikube-build"]))


def build_entries(sources: ImageSources) -> dict[str, Entry]:
    """Return our own files in the build image."""
    buildpacks = sources.data / "buildpacks"
    entries = {"haikube/lib/haikube/__init__.py": Entry(sources.package / "__init__.py")}
    for part in _BUILD_ENGINE:
        entries |= tree_entries(sources.package / part, f"haikube/lib/haikube/{part}")
    for name, entry in tree_entries(buildpacks, "haikube/buildpacks").items():
        if name.split("/")[2] not in _NOT_IN_BUILDS:
            entries[name] = entry
    entries["usr/local/bin/haikube-build"] = Entry(buildpacks / "launcher/haikube-build", 0o755)
    entries["haikube/handed-back"] = Entry(buildpacks / "launcher/handed-back", 0o755)
    return entries


def run_status(run: Layer) -> dict[str, Entry]:
    """Return what dpkg knows of the run image: builds fetch exactly the libraries it lacks."""
    with tarfile.open(run.path) as tar:
        status = tar.extractfile("./var/lib/dpkg/status")
        content = status.read() if status else b""
    return {"haikube/stack/run-dpkg-status": Entry(content)}


def platform_image(sources: ImageSources) -> Image:
    """Return the image of operator and api: Python, the locked dependencies, this package."""
    base = sources.rootfs("platform")
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check")
    site = make_site(sources.lock, base, pip, sources.paths.layers)
    layers = [base, site, sources.layer(platform_entries(sources))]
    env = [_PATH, "PYTHONPATH=/haikube/lib:/haikube/site", "PYTHONUNBUFFERED=1", "LANG=C.UTF-8"]
    config = {"Env": env, "User": _SERVICE_USER, "WorkingDir": "/"}
    return Image(f"{PREFIX}/platform", layers, config)


def platform_entries(sources: ImageSources) -> dict[str, Entry]:
    """Return our own files in the platform image, laid out as in an installed wheel."""
    target = "haikube/lib/haikube"
    package = tree_entries(sources.package, target).items()
    entries = {name: entry for name, entry in package if not name.startswith(f"{target}/_data/")}
    for part in ("crds", "manifests", "buildpacks"):
        entries |= tree_entries(sources.data / part, f"{target}/_data/{part}")
    return entries


def gateway_image(sources: ImageSources) -> Image:
    """Return the image of the gateway: one static binary."""
    return _binary_image(sources, "gateway", tools.wheel_program(sources.paths, "traefik"))


def storage_image(sources: ImageSources) -> Image:
    """Return the image of the object storage: one static binary."""
    return _binary_image(sources, "storage", tools.wheel_program(sources.paths, "weed"))


def collector_image(sources: ImageSources) -> Image:
    """Return the image of what reads a node's logs: one static binary."""
    return _binary_image(sources, "collector", tools.collector(sources.paths))


def log_store_image(sources: ImageSources) -> Image:
    """Return the image of the log store: one static binary."""
    return _binary_image(sources, "log-store", tools.log_store(sources.paths))


def _binary_image(sources: ImageSources, role: str, program: Path) -> Image:
    passwd = b"root:x:0:0:root:/:/\nservice:x:65532:65532:service:/:/\n"
    entries = {
        program.name: Entry(program, 0o755),
        "etc/passwd": Entry(passwd),
        "etc/ssl/certs/ca-certificates.crt": Entry(sources.options.ca_bundle),
        "data": Entry(mode=0o755, owner=65532),
        "tmp": Entry(mode=0o1777),
    }
    config = {"Entrypoint": [f"/{program.name}"], "Env": [_PATH], "User": _SERVICE_USER}
    return Image(f"{PREFIX}/{role}", [sources.layer(entries)], config)


def _dyno_config(**more: object) -> dict[str, object]:
    env = [_PATH, "HOME=/app", "LANG=C.UTF-8"]
    return {"Env": env, "User": _DYNO_USER, "WorkingDir": "/app", **more}


def save_references(images: dict[str, Image], path: Path) -> None:
    """Write the names of the images by role, for tests and for the kustomization."""
    names = {role: image.reference for role, image in sorted(images.items())}
    path.write_text(json.dumps(names, indent=2) + "\n")
