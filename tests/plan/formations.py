"""What a formation of tests stands beside, and its dynos."""

from __future__ import annotations

from typing import Any

import builders as b

BASE = (b.app(), b.stack(), b.release())


UP = [
    "apply Deployment hello-web",
    "apply PodDisruptionBudget hello-web",
    "apply Service hello-web",
    "apply HTTPRoute hello-web",
]


def dyno(name: str = "p", **extra: Any) -> b.Raw:
    marks = extra.pop("marks", b.dyno_marks())
    return b.pod(name, marks=marks, **extra)
