"""Formation: how many dynos of one process type an app runs."""

from __future__ import annotations

from dataclasses import dataclass

from haikube.model.meta import Meta, Raw, parse_meta, ref_name

WEB = "web"
DEFAULT_SIZE = "basic"


@dataclass(frozen=True, slots=True)
class Formation:
    """The declared quantity and size of one process type."""

    meta: Meta
    app: str
    process_type: str
    quantity: int
    size: str
    status: Raw

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
        quantity=spec.get("quantity") or 0,
        size=spec.get("size") or DEFAULT_SIZE,
        status=obj.get("status") or {},
    )
