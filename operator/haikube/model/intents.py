"""What a plan may ask for: writes as values.

A plan returns intents, ``engine.commit`` carries them out. An intent never holds a secret that
was fetched from outside: a presigned URL is asked for by ``Presign`` and made while committing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from haikube.model.meta import Meta
from haikube.model.resources import Resource

Object = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Presign:
    """A URL that allows one method on one object of the storage for ``seconds``."""

    method: Literal["GET", "PUT"]
    key: str
    seconds: int


@dataclass(frozen=True, slots=True)
class Apply:
    """Server-side apply ``body``, skipped when the live object was last applied the same.

    ``revision`` names what the pods of its ``spec.template`` are made of: while it is the same,
    the template stays as it is, however it would be written today.
    """

    resource: Resource
    body: Object
    revision: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """Entries of another Secret, read while committing.

    It must still be the very version that the plan saw: what a plan says of values would be wrong
    otherwise. With no keys there are no values, and nothing is read.
    """

    source: Meta
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object is that the same plan makes first."""

    resource: Resource
    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Create:
    """Create ``body`` under its deterministic name; an existing object means success.

    ``copied`` says whose entries become its ``data``. ``presigned`` maps keys of ``stringData`` to
    the URLs that are signed while committing. With ``renew`` an existing object has its
    ``stringData`` and annotations replaced instead. ``owned`` is made right after a new object,
    whose uid the references of these to their owner get. ``noted`` maps annotations to the objects
    whose versions they say.
    """

    resource: Resource
    body: Object
    presigned: Mapping[str, Presign] = field(default_factory=dict)
    renew: bool = False
    copied: Copy | None = None
    owned: tuple[Create, ...] = ()
    noted: Mapping[str, Place] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Annotate:
    """Merge annotations into one object that exists, guarded by its uid."""

    resource: Resource
    namespace: str
    name: str
    uid: str
    annotations: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge ``body`` into one object that exists, guarded by its uid; lists are replaced whole."""

    resource: Resource
    namespace: str
    name: str
    uid: str
    body: Object


@dataclass(frozen=True, slots=True)
class Delete:
    """Delete one object, guarded by uid and resourceVersion; gone already means success."""

    resource: Resource
    namespace: str
    name: str
    uid: str
    resource_version: str


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes event about the reconciled object; repeated ones are folded."""

    type: Literal["Normal", "Warning"]
    reason: str
    message: str


Write = Apply | Create | Annotate | Merge | Delete


@dataclass(frozen=True, slots=True)
class Plan:
    """All that one pass wants for one object: writes in order, then one status, then events.

    ``status`` is the complete wanted status, or None to leave it alone. ``requeue_after`` is in
    seconds: when to look again although nothing changed.
    """

    writes: tuple[Write, ...] = ()
    status: Object | None = None
    events: tuple[Event, ...] = ()
    requeue_after: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """What is wanted for one object of a world: its kind, which object it is, and its plan."""

    resource: Resource
    meta: Meta
    plan: Plan


@dataclass(frozen=True, slots=True)
class Decision:
    """What is wanted for all objects of a world: the writes of ``parts`` first.

    ``conclude`` returns the parts with their statuses. It is called once nothing is left to write,
    so that nobody makes statuses that the next look would make anew.
    """

    parts: tuple[Part, ...]
    conclude: Callable[[], tuple[Part, ...]]
