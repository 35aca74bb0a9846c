"""What an app brings that was deployed as a container image: ``heroku.yml``, a ``Dockerfile``.

Buildpacks build every app here; a file that said how its dynos run is not passed over in silence.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from haikube.build.transcript import Transcript

_MANIFEST: Final = "heroku.yml"
_FILES: Final = (_MANIFEST, "Dockerfile", "Dockerfile.web")


def warn_of_manifest(build_dir: Path, transcript: Transcript) -> None:
    """Say that ``heroku.yml`` is not read, and where its parts belong."""
    if (build_dir / _MANIFEST).is_file():
        transcript.warning(
            f"{_MANIFEST} is not read: it is for images of containers, and buildpacks"
        )
        transcript.warning("build this app. Its run and release commands belong into a Procfile.")


def image_files(build_dir: Path) -> list[str]:
    """Return the names of files that describe an image, which nobody builds here."""
    return [name for name in _FILES if (build_dir / name).is_file()]
