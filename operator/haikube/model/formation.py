"""Formation: how many dynos of one process type an app runs."""

from __future__ import annotations

from dataclasses import dataclass, replace

from haikube.model.meta import Meta, Raw, parse_meta, ref_name

WEB = "web"
DEFAULT_SIZE = "basic"


@dataclass(frozen=True, slots=True)
class Formation:
    """The declared quantity and size of one process type."""

    meta: Meta
    app: str
    process_type: str
    declared: int | None
    declared_size: str | None
    status: Raw

    @property
    def quantity(self) -> int:
        """Return how many dynos are wanted; what is not declared is filled in by the operator."""
        return self.declared or 0

    @property
    def size(self) -> str:
        """Return their size, likewise."""
        return self.declared_size or DEFAULT_SIZE

    @property
    def is_whole(self) -> bool:
        """Return whether all is declared."""
        return self.declared is not None and self.declared_size is not None

    def with_status(self, status: Raw) -> Formation:
        """Return the same formation once ``status`` is written."""
        return replace(self, status=status)

    @property
    def is_web(self) -> bool:
        """Return whether the gateway sends requests to these dynos."""
        return self.process_type == WEB


def parse_formation(obj: Raw) -> Formation:
    """Return the Formation in a raw object."""
    spec = obj.get("spec") or {}
    return Formation(
        meta=parse_meta(obj),
        app=ref_name(spec, "appRef"),
        process_type=spec.get("processType") or "",
        declared=spec.get("quantity"),
        declared_size=spec.get("size") or None,
        status=obj.get("status") or {},
    )
