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

_PROC = Path("/proc")


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
    """Return how to begin it below ``root``; ``/proc`` is where it finds its own figures."""
    (root / folder.relative_to("/")).mkdir(parents=True)
    settings: Any = image.config["Env"]
    mounts = (("mount", "--bind", str(seen), f"{root}{seen}") for seen in (_PROC, folder))
    start = ("exec", "chroot", str(root), "env", *settings, "python3", "-m", "haikube.operator")
    script = " && ".join(shlex.join(words) for words in (*mounts, start))
    return ("unshare", "--mount", "--propagation", "private", "sh", "-c", script)
