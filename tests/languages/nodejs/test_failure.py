"""Which package a registry does not show, by the words of each package manager, without a stack."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

FAILURE = Path(__file__).parents[3] / "buildpacks" / "nodejs" / "lib" / "failure.sh"


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("npm error 404  'nope@1.0.0' is not in this registry.", "nope@1.0.0"),
        ("npm error 404 Not Found - GET https://r.example.com/nope - Not found", ""),
        ('error Couldn\'t find package "nope" on the "npm" registry.', "nope"),
        (
            'error Error: https://r.example.com/@a/nope/-/nope-1.tgz: Request failed "404 Nope"',
            "@a/nope",
        ),
        (
            'error An unexpected error occurred: "https://r.example.com/npm/@a%2fnope: Not found".',
            "@a/nope",
        ),
        ('error Error: https://r.example.com/nope: Request failed "500 Oops"', ""),
        ("➤ YN0035: │ @a/nope@npm:1.0.0: Package not found", "@a/nope@npm:1.0.0"),
        ("➤ YN0082: │ nope@npm:^1.0.0: No candidates found", "nope@npm:^1.0.0"),
        (" ERR_PNPM_FETCH_404  GET https://r.example.com/nope: Not Found - 404", "nope"),
        (
            " ERR_PNPM_FETCH_404  GET https://r.example.com/npm/@a%2Fnope: File not found - 404",
            "@a/nope",
        ),
        (
            " ERR_PNPM_FETCH_404  GET http://r:80/@a/nope/-/nope-1.0.0.tgz: Not Found - 404",
            "@a/nope",
        ),
    ],
)
def test_a_package_that_a_registry_does_not_show(tmp_path: Path, line: str, package: str) -> None:
    log = tmp_path / "log"
    log.write_text(f"before\n{line}\nafter\n", "utf-8")

    done = subprocess.run(
        [
            "bash",
            "-euo",
            "pipefail",
            "-c",
            'source "$1"; missing_package "$2"',
            "bash",
            FAILURE,
            log,
        ],
        check=True,
        capture_output=True,
        text=True,
    )

    assert done.stdout.strip() == package
