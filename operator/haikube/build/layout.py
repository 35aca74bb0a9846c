"""Where everything lies in the build pod. Tests and the harness move the roots, nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Layout:
    """``platform`` is mounted read-only, ``scratch`` is one writable mount, ``home`` is empty.

    ``alone`` says that all processes beside the container's first are this build's. ``folder`` is
    the one of the source that holds the app, empty for its root.
    """

    platform: Path = Path("/haikube")
    scratch: Path = Path("/build")
    home: Path = Path("/app")
    termination: Path = Path("/dev/termination-log")
    system_ca: Path = Path("/etc/ssl/certs/ca-certificates.crt")
    alone: bool = False
    folder: str = ""

    @property
    def request(self) -> Path:
        """The request of the operator."""
        return self.platform / "request" / "request.json"

    @property
    def config(self) -> Path:
        """Config vars as files of a mounted Secret."""
        return self.platform / "env"

    @property
    def extra_ca(self) -> Path:
        """Certificates that the platform trusts beyond the system's."""
        return self.platform / "ca" / "ca-bundle.crt"

    @property
    def buildpacks(self) -> Path:
        """Our own buildpacks, their library and the detection order."""
        return self.platform / "buildpacks"

    @property
    def source_dir(self) -> Path:
        """The whole source; on the same mount as the cache, so that links work."""
        return self.scratch / "src"

    @property
    def build_dir(self) -> Path:
        """BUILD_DIR of the buildpacks: the app, with the rest of the source around it."""
        return self.source_dir / self.folder

    @property
    def cache_dir(self) -> Path:
        """CACHE_DIR of the buildpacks."""
        return self.scratch / "cache"

    @property
    def env_dir(self) -> Path:
        """ENV_DIR of the buildpacks."""
        return self.scratch / "env"

    @property
    def packs(self) -> Path:
        """Writable copies of the buildpacks that this build uses."""
        return self.scratch / "packs"

    @property
    def spool(self) -> Path:
        """Downloads and archives on their way out."""
        return self.scratch / "spool"

    @property
    def handed_back(self) -> Path:
        """Is there once the result is stored; the readiness probe of the pod waits for it."""
        return self.scratch / "handed-back"

    @property
    def awaited(self) -> Path:
        """Is there once that probe waits."""
        return self.scratch / "handed-back.awaited"

    def url(self, name: str) -> str | None:
        """Return a presigned URL, None when the operator gave none for this purpose."""
        path = self.platform / "urls" / name
        return (path.read_text("utf-8").strip() or None) if path.is_file() else None

    def prepare(self) -> None:
        """Make the scratch folders."""
        for folder in (self.source_dir, self.cache_dir, self.env_dir, self.packs, self.spool):
            folder.mkdir(parents=True, exist_ok=True)
