"""Root filesystems of images, made natively by mmdebstrap from a stack's package lists.

A filesystem is cached by the digest of everything that shaped it: the packages, the options and
the finishing script. The Containerfiles beside the lists make the same for Docker and Podman.
"""

from __future__ import annotations

import fcntl
import hashlib
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from haikube.local.command import run
from haikube.local.layer import Layer

SUITE = "trixie"
_OPTIONS = (
    "--variant=minbase",
    '--aptopt=Acquire::Retries "5"',
    '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=path-exclude=/usr/share/man/*",
    "--dpkgopt=path-exclude=/usr/share/info/*",
    "--dpkgopt=path-exclude=/usr/share/doc/*",
    # licences stay: the images may be handed on
    "--dpkgopt=path-include=/usr/share/doc/*/copyright",
    "--dpkgopt=path-exclude=/usr/share/locale/*",
    "--dpkgopt=path-include=/usr/share/locale/locale.alias",
)
# Mounts of the tool stay its own, and it ends with us, even when we are killed.
_CONTAINED = (
    *("setpriv", "--pdeathsig", "KILL"),
    *("unshare", "--mount", "--propagation", "private", "--pid", "--fork"),
    *("--kill-child", "--mount-proc"),
)
# apt's own user must reach it, so it cannot lie below root's home
_SCRATCH = Path("/tmp/haikube-rootfs")  # noqa: S108 - made and emptied by root under a lock of its own


@dataclass(frozen=True, slots=True)
class Rootfs:
    """What a root filesystem is made of."""

    packages: tuple[str, ...]
    finish: Path
    mirror: str = ""

    @classmethod
    def of(cls, folder: Path, lists: Sequence[str], mirror: str = "") -> Rootfs:
        """Return the filesystem of a stack's lists, e.g. ``("run", "build")``."""
        texts = ((folder / f"{name}.packages").read_text() for name in lists)
        packages = {package for text in texts for package in read_packages(text)}
        return cls(tuple(sorted(packages)), folder / "finish", mirror)

    @property
    def key(self) -> str:
        """Digest of everything that shapes the filesystem."""
        shape = "\n".join((SUITE, *_OPTIONS, *self.packages, self.finish.read_text()))
        return hashlib.sha256(shape.encode()).hexdigest()[:16]

    def argv(self, target: Path) -> list[str]:
        """Return the command that makes it."""
        hook = f'--customize-hook={self.finish} "$1"'
        mirror = [self.mirror] if self.mirror else []
        include = f"--include={','.join(self.packages)}"
        return ["mmdebstrap", *_OPTIONS, hook, include, SUITE, str(target), *mirror]


def read_packages(text: str) -> list[str]:
    """Return the packages of a list: one a line, ``#`` starts a comment."""
    lines = (line.partition("#")[0].strip() for line in text.splitlines())
    return [line for line in lines if line]


def make_rootfs(rootfs: Rootfs, folder: Path) -> Layer:
    """Return the layer of a root filesystem, made when the cache has none of its key."""
    path = folder / f"rootfs-{rootfs.key}.tar"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        with _alone():
            if not path.exists():
                _make(rootfs, path)
    return Layer.of(path)


def _make(rootfs: Rootfs, path: Path) -> None:
    partial = path.with_suffix(".partial.tar")
    partial.unlink(missing_ok=True)
    _fresh(_SCRATCH)
    run(*_CONTAINED, *rootfs.argv(partial), env={"TMPDIR": str(_SCRATCH)})
    shutil.rmtree(_SCRATCH)
    partial.rename(path)


@contextmanager
def _alone() -> Iterator[None]:
    """Wait for whoever makes a filesystem on this machine, tests in another checkout say."""
    with _SCRATCH.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _fresh(folder: Path) -> Path:
    """Return an empty folder of a known name: what a killed run left there is removed."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o755)
    return folder


def make_site(lock: Path, python_rootfs: Layer, pip: Sequence[str], folder: Path) -> Layer:
    """Return the layer of the site-packages a lock file pins, compiled by the image's own Python.

    Args:
        lock: requirements with the hash of every wheel.
        python_rootfs: the filesystem whose Python will import them.
        pip: how to call pip.
        folder: where layers are cached.
    """
    key = hashlib.sha256(lock.read_bytes() + python_rootfs.digest.encode()).hexdigest()[:16]
    path = folder / f"site-{key}.tar"
    if path.exists():
        return Layer.of(path)
    root = _fresh(folder / f"site-{key}.partial-root")
    run("tar", "--extract", "--file", python_rootfs.path, "--directory", root)
    only = ("--only-binary=:all:", "--python-version", _python_version(root), "--no-deps")
    target = root / "haikube" / "site"
    run(*pip, "install", "--quiet", "--require-hashes", *only, "--target", target, "-r", lock)
    shutil.rmtree(target / "bin", ignore_errors=True)
    _compile(root)
    _pack(root, path)
    shutil.rmtree(root)
    return Layer.of(path)


def _python_version(root: Path) -> str:
    name = (root / "usr" / "bin" / "python3").readlink().name
    return name.removeprefix("python")


def _compile(root: Path) -> None:
    compiler = ("python3", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash")
    run("chroot", root, *compiler, "/haikube/site")


def _pack(root: Path, path: Path) -> None:
    partial = path.with_suffix(".partial")
    stable = ("--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--mtime=@0")
    run("tar", "--create", "--file", partial, *stable, "--directory", root, "haikube/site")
    partial.rename(path)
