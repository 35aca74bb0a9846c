"""The pods, results and URLs of a build of tests."""

from __future__ import annotations

import json

import builders as b

OK = json.dumps(
    {
        "ok": True,
        "slug": {"digest": b.DIGEST, "sizeBytes": 7},
        "processTypes": [{"name": "web", "command": "python app.py"}],
        "buildpacks": ["heroku/python"],
        "language": "Python",
        "truncated": False,
    }
)


RESULT_KEY = "slugs/uid-app-hello/uid-build-b1.json"


def broken(reason: str = "CompileFailed", message: str = "no such package; repair it") -> str:
    return json.dumps({"ok": False, "reason": reason, "message": message})


def cut() -> str:
    return json.dumps({**json.loads(OK), "processTypes": [], "truncated": True})


def pod(**extra: object) -> b.Raw:
    return b.pod("b1-x", owner=("Job", "b1"), **extra)  # type: ignore[arg-type]  # rows vary


def running(*conditions: tuple[str, str]) -> list[b.Raw]:
    return [b.app(), b.stack(), b.job("b1", ("Build", "b1"), *conditions), urls()]


def urls(expires: str = "2026-01-01T02:00:00Z") -> b.Raw:
    return b.secret(
        "b1-urls",
        {"request.json": "{}"},
        component="build-urls",
        owner=("Build", "b1"),
        annotations={"haikube.dev/expires-at": expires},
    )


EVICTED = {
    "phase": "Failed",
    "reason": "Evicted",
    "message": 'Usage of EmptyDir volume "scratch" exceeds the limit "8Gi". ',
}
