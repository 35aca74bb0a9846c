"""The image store of the native node: what is there, and what must be imported."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

from haikube.local.archive import Image, write_archive
from haikube.local.command import run

_NAMESPACE = ("--namespace", "k8s.io")


class ImageStore:
    """Images of one containerd, reached through its socket."""

    def __init__(self, socket: Path) -> None:
        self._ctr = ("ctr", "--address", str(socket), *_NAMESPACE)

    def references(self) -> frozenset[str]:
        """Return the names of the images that are there."""
        return frozenset(run(*self._ctr, "images", "list", "--quiet").split())

    def digests(self) -> frozenset[str]:
        """Return the digests of the blobs that are there, in hex."""
        listing = run(*self._ctr, "content", "list", "--quiet").split()
        return frozenset(digest.removeprefix("sha256:") for digest in listing)

    def load(self, archive: Path) -> str:
        """Import every image of an archive and return what containerd said of them."""
        return run(*self._ctr, "images", "import", archive)

    def ensure(self, image: Image, scratch: Path) -> bool:
        """Import an image unless it is there; return whether it was imported.

        Layers that containerd has are left out, so a change of code moves kilobytes.
        """
        if image.reference in self.references():
            return False
        archive = scratch / f"{image.reference.rpartition(':')[2]}.tar"
        write_archive(image, archive, omit=self.digests())
        try:
            self.load(archive)
        finally:
            archive.unlink()
        return True

    def prune(self, prefix: str, keep: Container[str]) -> int:
        """Remove the images below a prefix that are not to be kept; return how many."""
        ours = [name for name in self.references() if name.startswith(f"{prefix}/")]
        old = [name for name in ours if name not in keep]
        if old:
            run(*self._ctr, "images", "remove", *old)
        return len(old)
