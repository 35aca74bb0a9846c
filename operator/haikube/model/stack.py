"""Stack: a pair of images, one to build apps in and one to run them on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from haikube.model.meta import Meta, Raw, parse_meta


@dataclass(frozen=True, slots=True)
class Runtime:
    """One release of a language that the platform has made from source for a stack."""

    language: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Stack:
    """The declared images; ``alias`` is what buildpacks see as ``STACK``."""

    meta: Meta
    run_image: str
    build_image: str
    alias: str
    deprecation: str
    status: Raw
    runtimes: tuple[Runtime, ...] = ()


def parse_stack(obj: Raw) -> Stack:
    """Return the Stack in a raw object."""
    meta = parse_meta(obj)
    spec = obj.get("spec") or {}
    return Stack(
        meta=meta,
        run_image=spec.get("runImage") or "",
        build_image=spec.get("buildImage") or "",
        alias=spec.get("alias") or meta.name,
        deprecation=_text(spec.get("deprecation")),
        status=obj.get("status") or {},
        runtimes=tuple(_runtime(each) for each in spec.get("runtimes") or ()),
    )


def _runtime(raw: Any) -> Runtime:  # noqa: ANN401 - its schema is the API server's to check
    return Runtime(raw["language"], raw["version"], raw["digest"])


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
