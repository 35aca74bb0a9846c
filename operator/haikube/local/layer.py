"""Layers of images: tar files whose bytes depend on their content alone.

Names are sorted, owners are numbers, times are zero: the same files make the same digest on every
machine, so a tag made of digests tells whether an image must be imported.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 20
_SKIPPED = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file or folder of a layer: bytes, a file to copy, or None for a folder."""

    content: bytes | Path | None = None
    mode: int = 0o644
    owner: int = 0


@dataclass(frozen=True, slots=True)
class Layer:
    """A finished layer on disk."""

    path: Path
    digest: str

    @classmethod
    def of(cls, path: Path) -> Layer:
        """Return the layer in a file; its digest is read once and kept beside it."""
        note = path.with_name(path.name + ".sha256")
        if not note.exists() or note.stat().st_mtime < path.stat().st_mtime:
            note.write_text(file_digest(path))
        return cls(path, note.read_text().strip())


def file_digest(path: Path) -> str:
    """Return the sha256 of a file in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def tree_entries(source: Path, target: str) -> dict[str, Entry]:
    """Return the entries of a folder's files below a path in the image."""
    return {
        f"{target}/{path.relative_to(source).as_posix()}": _file_entry(path)
        for path in _files(source)
    }


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not _SKIPPED.intersection(path.parts):
            yield path


def _file_entry(path: Path) -> Entry:
    executable = path.stat().st_mode & 0o100
    return Entry(path, 0o755 if executable else 0o644)


def entries_digest(entries: Mapping[str, Entry]) -> str:
    """Return the digest of what a layer would hold, without writing it."""
    total = hashlib.sha256()
    for name, entry in sorted(entries.items()):
        content = _digest_of(entry)
        total.update(f"{name}\0{entry.mode:o}\0{entry.owner}\0{content}\n".encode())
    return total.hexdigest()


def _digest_of(entry: Entry) -> str:
    if isinstance(entry.content, Path):
        return file_digest(entry.content)
    return hashlib.sha256(entry.content or b"").hexdigest() if entry.content is not None else "dir"


def write_layer(entries: Mapping[str, Entry], folder: Path) -> Layer:
    """Write the layer of these entries to the folder, unless it is there already."""
    path = folder / f"{entries_digest(entries)[:32]}.tar"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        with tarfile.open(partial, "w", format=tarfile.GNU_FORMAT) as tar:
            for name, entry in _with_parents(entries):
                _add(tar, name, entry)
        partial.rename(path)
    return Layer.of(path)


def _with_parents(entries: Mapping[str, Entry]) -> Iterable[tuple[str, Entry]]:
    complete: dict[str, Entry] = {}
    for name, entry in entries.items():
        parts = name.strip("/").split("/")
        for depth in range(1, len(parts)):
            complete.setdefault("/".join(parts[:depth]), Entry(mode=0o755))
        complete["/".join(parts)] = entry
    return sorted(complete.items())


def _add(tar: tarfile.TarFile, name: str, entry: Entry) -> None:
    info = tarfile.TarInfo(name)
    info.mode, info.uid, info.gid = entry.mode, entry.owner, entry.owner
    if entry.content is None:
        info.type = tarfile.DIRTYPE
        tar.addfile(info)
    elif isinstance(entry.content, bytes):
        info.size = len(entry.content)
        tar.addfile(info, io.BytesIO(entry.content))
    else:
        info.size = entry.content.stat().st_size
        with entry.content.open("rb") as stream:
            tar.addfile(info, stream)


def prune_layers(folder: Path, keep: Collection[Path], now: float, days: float = 7.0) -> int:
    """Remove layers of former checkouts that were not made within some days; return how many."""
    old = [
        path
        for path in folder.glob("*.tar")
        if path not in keep and now - path.stat().st_mtime > days * 86_400
    ]
    for path in old:
        path.unlink()
        path.with_name(path.name + ".sha256").unlink(missing_ok=True)
    return len(old)
