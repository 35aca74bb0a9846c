"""What the folder of an app takes from the rest of its source, by links that lead there.

The rest is at hand while the buildpacks run, and only there: a slug holds one folder. So a link
out of it, as ``npm install ../../packages/shared`` makes one, becomes a copy of what it leads to.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from haikube.build.archive import remove_tree
from haikube.build.layout import Layout


def bring_along(layout: Layout) -> int:
    """Replace links to the rest of the source by copies; returns how many there were."""
    if not layout.folder:
        return 0
    source, app = layout.source_dir.resolve(), layout.build_dir.resolve()
    leading = [link for link in _links(app) if _rest(link, source, app)]
    for link in leading:
        _take(link.resolve(), link, (source, app), ())
    return len(leading)


def _links(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        for name in [*folders, *files]:
            path = Path(parent, name)
            if path.is_symlink():
                yield path


def _rest(link: Path, source: Path, app: Path) -> bool:
    """Tell whether a link leads into the source, but not into the app, and neither to nothing."""
    target = link.resolve()
    inside = target.is_relative_to(source) and not target.is_relative_to(app)
    return inside and target.exists() and not app.is_relative_to(target)


def _take(original: Path, place: Path, bounds: tuple[Path, Path], above: tuple[Path, ...]) -> None:
    """Put a copy in place; ``above`` is what is being copied, which no link may repeat."""
    remove_tree(place)
    if not original.is_dir():
        shutil.copy2(original, place)
        return
    place.mkdir()
    shutil.copystat(original, place)
    for entry in sorted(original.iterdir()):
        _take_entry(entry, place / entry.name, bounds, (*above, original))


def _take_entry(
    entry: Path, place: Path, bounds: tuple[Path, Path], above: tuple[Path, ...]
) -> None:
    if not entry.is_symlink():
        _take(entry, place, bounds, above)
        return
    target = entry.resolve()
    stays = any(target.is_relative_to(each) for each in above)
    if stays or not _rest(entry, *bounds):
        place.symlink_to(entry.readlink())
    else:
        _take(target, place, bounds, above)
