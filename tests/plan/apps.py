"""Apps as they stand after their first release, for tests."""

from __future__ import annotations

import builders as b

FIRST = (b.initial(), b.snapshot(1))
LATER = "2026-01-01T00:00:10Z"
SERVING = (
    b.release(buildRef={"name": "b1"}),
    b.snapshot(),
    b.slug_url(),
    b.build(status=b.succeeded()),
    b.formation(status=b.ready_status()),
    b.formation("worker", 0, status=b.ready_status()),
    b.route(),
    b.stack(),
    b.deployment(),
)
