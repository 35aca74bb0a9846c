"""The one small object that says what an app's repository holds: refs, packs and the push lock.

Packs are immutable and each upload has a name of its own; this manifest alone changes, by
compare-and-swap. What is read back is checked like any other input, because refs become lines of
a file that git reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from haikube.model.names import git_prefix
from haikube.storage.port import MissingObject, Storage, StorageError

ABSENT: Final = "0" * 40
"""The object name that stands for "no such ref"."""

_LIMIT: Final = 64 << 20
"""Bytes, far above what is written, so that what is stored stays readable."""

_REMEMBERED: Final = 50
_OBJECT: Final = re.compile(r"[0-9a-f]{40}")
_PACK: Final = re.compile(r"pack-[0-9a-f]{40}(\.[0-9a-f]{8})?")
_REF: Final = re.compile(r"refs/(heads|tags)/[^\x00-\x20\x7f~^:?*\[\\\ud800-\udfff]{1,200}")


class Damaged(Exception):
    """What is stored is not a manifest."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What a push has changed once its build succeeds: the build decides, whoever notes it."""

    namespace: str
    build: str
    refs: Mapping[str, str]
    packs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lock:
    """Who pushes now; ``beat`` moves while the holder lives, ``left`` says that it went away."""

    id: str
    author: str
    beat: int = 0
    pending: Pending | None = None
    left: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a repository holds; ``retired`` are packs it held, until when, in seconds of 1970.

    ``done`` are the ids of the last holders of the lock that came to their end: a write whose
    answer was lost is known by it. ``whole`` says that everything was there which the refs need.
    """

    refs: Mapping[str, str] = field(default_factory=dict)
    packs: tuple[str, ...] = ()
    lock: Lock | None = None
    retired: Mapping[str, int] = field(default_factory=dict)
    done: tuple[str, ...] = ()
    whole: bool = False

    def get(self, ref: str) -> str:
        """Return the object a ref points at, ``ABSENT`` when there is none."""
        return self.refs.get(ref, ABSENT)

    def advance(self, refs: Mapping[str, str], packs: tuple[str, ...]) -> Manifest:
        """Return the manifest with refs moved, those to ``ABSENT`` removed, and packs added."""
        moved = {ref: new for ref, new in {**self.refs, **refs}.items() if new != ABSENT}
        added = tuple(pack for pack in packs if pack not in self.packs)
        left = {pack: since for pack, since in self.retired.items() if pack not in packs}
        return replace(self, refs=moved, packs=self.packs + added, retired=left)

    def mended(self, refs: Mapping[str, str], packs: tuple[str, ...]) -> Manifest:
        """Return the manifest without refs that lack something, and without packs that are lost."""
        left = {ref: target for ref, target in self.refs.items() if refs.get(ref) != target}
        kept = tuple(pack for pack in self.packs if pack not in packs)
        return replace(self, refs=left, packs=kept, whole=True)

    def finished(self, holder: str) -> Manifest:
        """Return the manifest without lock, after its holder has changed what it wanted."""
        return replace(self, lock=None, done=(*self.done, holder)[-_REMEMBERED:])

    def repacked(self, packs: tuple[str, ...], now: int, oldest: int) -> Manifest:
        """Return the manifest with other packs for the same objects.

        The ones before are remembered as retired since ``now``; what retired before ``oldest``
        is forgotten.
        """
        kept = {pack: since for pack, since in self.retired.items() if since >= oldest}
        gone = dict.fromkeys((pack for pack in self.packs if pack not in packs), now)
        return replace(self, packs=packs, retired={**kept, **gone})

    def dump(self) -> bytes:
        """Return the JSON form."""
        return json.dumps(asdict(self), sort_keys=True).encode()


def parse(data: bytes) -> Manifest:
    """Return the manifest in ``data``; raises ``Damaged`` when it is not one."""
    try:
        body = json.loads(data)
    except ValueError as error:
        raise Damaged("not JSON") from error
    if not isinstance(body, dict):
        raise Damaged("not a JSON object")
    done = tuple(str(each) for each in body.get("done") or ())
    retired = _retired(body.get("retired", {}))
    return Manifest(
        *_contents(body), _lock(body.get("lock")), retired, done, body.get("whole") is True
    )


def _contents(body: Mapping[str, Any]) -> tuple[Mapping[str, str], tuple[str, ...]]:
    """Return refs and packs, each of them checked."""
    refs, packs = body.get("refs"), body.get("packs")
    if not isinstance(refs, dict) or not isinstance(packs, list):
        raise Damaged("refs or packs missing")
    for ref, target in refs.items():
        if not is_ref(ref) or not is_object(target):
            raise Damaged(f"bad ref {ref!r}")
    for pack in packs:
        if not is_pack(pack):
            raise Damaged(f"bad pack {pack!r}")
    return refs, tuple(packs)


def _retired(body: object) -> Mapping[str, int]:
    if not isinstance(body, dict):
        raise Damaged("bad list of retired packs")
    for pack, since in body.items():
        if not is_pack(pack) or not isinstance(since, int):
            raise Damaged(f"bad retired pack {pack!r}")
    return body


def is_ref(name: object) -> bool:
    """Tell whether ``name`` is a branch or tag that may be stored."""
    return isinstance(name, str) and bool(_REF.fullmatch(name)) and ".." not in name


def is_object(name: object) -> bool:
    """Tell whether ``name`` is a whole object name."""
    return isinstance(name, str) and bool(_OBJECT.fullmatch(name))


def is_pack(name: object) -> bool:
    """Tell whether ``name`` is that of a stored pack: git's own, and a mark of its upload."""
    return isinstance(name, str) and bool(_PACK.fullmatch(name))


def _lock(body: object) -> Lock | None:
    if body is None:
        return None
    if not isinstance(body, dict) or not isinstance(body.get("beat"), int):
        raise Damaged("bad lock")
    return Lock(
        str(body.get("id")),
        str(body.get("author")),
        body["beat"],
        _pending(body.get("pending")),
        body.get("left") is True,
    )


def _pending(body: object) -> Pending | None:
    if body is None:
        return None
    if not isinstance(body, dict):
        raise Damaged("bad pending push")
    return Pending(str(body.get("namespace")), str(body.get("build")), *_contents(body))


class Manifests:
    """Reads and swaps manifests by app uid."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def load(self, uid: str) -> tuple[Manifest, str | None]:
        """Return the manifest and its etag; both say "nothing" for a new app."""
        key = manifest_key(uid)
        try:
            data, etag = await self._storage.read_version(key, limit=_LIMIT)
        except MissingObject:
            return Manifest(), None
        try:
            return parse(data), etag
        except Damaged as error:
            raise StorageError(f"object {key} is damaged ({error}): restore it") from error

    async def swap(self, uid: str, manifest: Manifest, etag: str | None) -> None:
        """Store if nobody else did since ``load``; raises ``storage.port.Changed``."""
        await self._storage.swap(manifest_key(uid), manifest.dump(), etag=etag)


def manifest_key(uid: str) -> str:
    """Return where the manifest of an app's repository is stored."""
    return f"{git_prefix(uid)}refs.json"


def packs_prefix(uid: str) -> str:
    """Return the prefix of all packs of an app's repository."""
    return f"{git_prefix(uid)}packs/"


def pack_key(uid: str, file: str) -> str:
    """Return where a file of a pack is stored."""
    return f"{packs_prefix(uid)}{file}"
