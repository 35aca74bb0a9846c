"""Where the local cluster keeps things: caches that survive ``down``, state that does not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import haikube

PACKAGE = Path(__file__).resolve().parent


def data_root() -> Path:
    """Return the folder that holds crds/, manifests/ and buildpacks/.

    In a checkout that is its root; in an installed wheel it is the package's ``_data``.
    """
    package = Path(haikube.__file__).resolve().parent
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent.parent


@dataclass(frozen=True, slots=True)
class Paths:
    """Every path of the local cluster below one cache folder."""

    cache: Path

    @classmethod
    def default(cls) -> Paths:
        """Return the paths below ``$XDG_CACHE_HOME/haikube``."""
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        return cls(Path(home) / "haikube")

    @property
    def binaries(self) -> Path:
        """Programs, in folders keyed by version."""
        return self.cache / "bin"

    @property
    def sources(self) -> Path:
        """Scratch folders of Go builds."""
        return self.cache / "go-src"

    @property
    def layers(self) -> Path:
        """Root filesystems and layers, keyed by the digest of what made them."""
        return self.cache / "layers"

    @property
    def images(self) -> Path:
        """Image archives, keyed by content digest."""
        return self.cache / "images"

    @property
    def containerd(self) -> Path:
        """Content store of containerd: a cache, kept by ``down`` so that ``up`` imports nothing."""
        return self.cache / "containerd"

    @property
    def state(self) -> Path:
        """What belongs to the running cluster; ``down`` removes it."""
        return self.cache / "local"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig, valid on the host."""
        return self.state / "kubeconfig"

    @property
    def image_list(self) -> Path:
        """Names of the images of this checkout, by role."""
        return self.state / "images.json"

    @property
    def deploy(self) -> Path:
        """The generated kustomization that ``up`` applies."""
        return self.state / "deploy"

    @property
    def authority(self) -> Path:
        """The local CA that signs the gateway's certificate; kept, so that it is trusted once."""
        return self.cache / "ca"

    @property
    def lock(self) -> Path:
        """Held by ``up``, ``down`` and ``load``, which must not run at the same time."""
        return self.cache / "local.lock"


def lock_file() -> Path:
    """Return the lock file of the platform's dependencies."""
    return data_root() / "requirements.lock"
