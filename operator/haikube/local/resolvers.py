"""Which name servers of the host a node can ask: those beyond the host's own loopback."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

_RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))


def host_resolvers(files: Sequence[Path] = _RESOLVERS) -> str:
    """Return the first resolv.conf of the host that names a resolver beyond its loopback."""
    texts = [path.read_text() for path in files if path.exists()]
    return next((text for text in texts if "nameserver" in upstream_resolvers(text)), "")


def upstream_resolvers(resolv_conf: str) -> str:
    """Return a resolv.conf without resolvers on the host's loopback, which a node cannot reach."""
    lines = [line for line in resolv_conf.splitlines() if not _is_loopback(line)]
    return "\n".join(lines) + "\n"


def _is_loopback(line: str) -> bool:
    words = line.split()
    return words[:1] == ["nameserver"] and words[-1].startswith(("127.", "::1"))
