"""kubectl against the local cluster, in one namespace."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Kubectl:
    """Runs kubectl as the cluster's administrator; no namespace means the objects' own."""

    kubeconfig: Path
    namespace: str

    def run(self, *words: str, stdin: object = None) -> subprocess.CompletedProcess[str]:
        """Run one command; an object on ``stdin`` is sent as JSON."""
        scope = ("-n", self.namespace) if self.namespace else ()
        return subprocess.run(
            ("kubectl", "--kubeconfig", str(self.kubeconfig), *scope, *words),
            input=None if stdin is None else json.dumps(stdin),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def ok(self, *words: str, stdin: object = None) -> str:
        """Run one command that must succeed and return what it printed."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return done.stdout

    def json(self, *words: str, stdin: object = None) -> dict[str, Any]:
        """Run one command that must succeed and return the object it printed."""
        found: dict[str, Any] = json.loads(self.ok(*words, "-o", "json", stdin=stdin))
        return found

    def refusal(self, *words: str, stdin: object = None) -> str:
        """Run one command that must fail and return why it did."""
        done = self.run(*words, stdin=stdin)
        assert done.returncode != 0, f"{words} was accepted: {done.stdout}"
        return done.stderr
