"""The platform's own pip heeds how an index is reached, and nothing else that an app sets."""

from __future__ import annotations

from pathlib import Path

from buildpacks.shell import Shell

REACHED = {
    "PIP_INDEX_URL": "https://index.example.com/simple",
    "PIP_EXTRA_INDEX_URL": "x",
    "PIP_TRUSTED_HOST": "index.example.com",
    "PIP_CERT": "/ca",
    "PIP_PROXY": "http://p",
    "PIP_TIMEOUT": "3",
}
BENT = (
    *("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV", "PIP_LOG"),
    *("PIP_NO_BINARY", "PIP_ONLY_BINARY", "PIP_CONSTRAINT", "PIP_REQUIRE_HASHES", "PIP_NO_INDEX"),
    *("PIP_CONFIG_FILE", "PIP_PYTHON", "PIP_DRY_RUN", "PIP_NO_DEPS", "PIP_PLATFORM"),
)


def test_only_how_an_index_is_reached_counts(tmp_path: Path) -> None:
    python = Shell(tmp_path, "python")
    python.write({**REACHED, **dict.fromkeys(BENT, "1")}, "env")
    (tmp_path / "env" / "PIP_CERT").unlink()
    show = (
        'export_env_dir\nbundled_pip() { printf %s "$BUILD_DIR"; }\n'
        'printf \'env | grep ^PIP_ | sort; echo "$@"\' >"$BUILD_DIR/pip"\nown_pip bash install uv'
    )
    said = python.run(show, "tools", "unchanged", PIP_CERT="/ca").splitlines()
    assert said == [*sorted(f"{name}={value}" for name, value in REACHED.items()), "install uv"]
