"""Whose object is this? Asked before every write, so that nothing foreign is taken over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from haikube.engine.outcome import Foreign
from haikube.model.resources import Resource

Object = Mapping[str, Any]


def controller(obj: Object) -> Mapping[str, Any]:
    """Return the owner reference that controls an object; empty if none does."""
    references = obj["metadata"].get("ownerReferences", ())
    return next((ref for ref in references if ref.get("controller")), {})


def refuse_foreign(resource: Resource, wanted: Object, live: Object, *, ours: bool) -> None:
    """Raise ``Foreign`` unless ``live`` has the controller that ``wanted`` has.

    ``ours`` says that we have written the live object before: then a controller reference that
    somebody removed is put back, and only another controller makes the object foreign.
    """
    owner, found = controller(wanted), controller(live)
    if found.get("uid") == owner.get("uid") or (ours and not found):
        return
    raise Foreign(
        resource,
        wanted["metadata"].get("namespace", ""),
        wanted["metadata"]["name"],
        f"{found['kind']} {found['name']}" if found else "no one (it was made by hand)",
        found.get("uid", ""),
    )
