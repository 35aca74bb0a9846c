"""Apps of Node.js as far as their package.json and the head of a lock file, for tests in bash."""

from __future__ import annotations

import json
from collections.abc import Mapping

from buildpacks.shell import Shell

CLASSIC = "# yarn lockfile v1\n"
LOCKS = {
    "classic": {"yarn.lock": CLASSIC},
    "yarn 2": {"yarn.lock": "__metadata:\n  version: 4\n  cacheKey: 7\n"},
    "yarn 3": {"yarn.lock": "# made\n\n__metadata:\n  version: 6\n  cacheKey: 8\n\nx: y\n"},
    "yarn 4": {"yarn.lock": "__metadata:\n  version: 8\n  cacheKey: 10\n"},
    "empty": {"yarn.lock": ""},
    "pnpm 7": {"pnpm-lock.yaml": "lockfileVersion: 5.4\n"},
    "pnpm 8": {"pnpm-lock.yaml": "lockfileVersion: '6.0'\n"},
    "pnpm 9": {"pnpm-lock.yaml": "lockfileVersion: '9.0'\n"},
    "npm": {"package-lock.json": "{}"},
    "none": {},
}
PARTS = ("package", "range", "manager")


def given(node: Shell, document: Mapping[str, object], lock: str) -> None:
    """Write the files of an app with this package.json and this lock file."""
    node.write({"package.json": json.dumps(document), **LOCKS[lock]})
