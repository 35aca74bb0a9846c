"""The operator as it is shipped: out of the files of the platform's image, with the Python there.

The Python that runs a benchmark can be any, and one that was built without optimization takes a
sixth more CPU. Needs the rights of root, as a native node does.
"""

from __future__ import annotations

import shlex
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from haikube.local.archive import Image
from haikube.local.command import run
from haikube.local.images import ImageSources, platform_image


@contextmanager
def shipped_operator(folder: Path) -> Iterator[Sequence[str]]:
    """Yield the command that starts it; of this machine's files it sees those in ``folder``."""
    image = platform_image(ImageSources.default())
    with tempfile.TemporaryDirectory(prefix="haikube-shipped-") as made:
        root = Path(made)
        for layer in image.layers:
            run("tar", "--extract", "--file", layer.path, "--directory", root)
        yield _command(image, root, folder)


def _command(image: Image, root: Path, folder: Path) -> Sequence[str]:
    here = root / folder.relative_to("/")
    here.mkdir(parents=True)
    settings: Any = image.config["Env"]
    began = shlex.join(("chroot", str(root), "env", *settings, "python3", "-m", "haikube.operator"))
    mount = shlex.join(("mount", "--bind", str(folder), str(here)))
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", f"{mount}; exec {began}")
