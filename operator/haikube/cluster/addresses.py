"""Where an object is found under the API server's URL."""

from __future__ import annotations

from urllib.parse import quote

from haikube.model.resources import Resource


def path(
    resource: Resource, namespace: str | None = None, name: str = "", subresource: str = ""
) -> str:
    """Return the URL path of a collection, an object or a subresource of it.

    Every part is quoted, so a name can never lead to another place.
    """
    root = f"/apis/{resource.group}" if resource.group else "/api"
    parts = [root, resource.version]
    if resource.namespaced and namespace:
        parts += ["namespaces", quote(namespace, safe="")]
    parts.append(resource.plural)
    parts += [quote(part, safe="") for part in (name, subresource) if part]
    return "/".join(parts)
