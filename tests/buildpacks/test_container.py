"""What the build's container holds against a hostile compile: its root, and its processes."""

from __future__ import annotations

import io
import tarfile

import pytest

from buildpacks.theatre import Theatre

pytestmark = pytest.mark.stack

LOOK = """#!/bin/sh
grep -l '^sleep$' /proc/[0-9]*/comm 2>/dev/null || echo 'nobody sleeps'
"""


def served(theatre: Theatre, name: str, compile: str) -> dict[str, str]:  # noqa: A002 - the script's name
    """Serve a buildpack by URL and return how it is named in a request."""
    scripts = {"bin/detect": "#!/bin/sh\necho Any\n", "bin/compile": compile}
    with tarfile.open(theatre.stage.objects.folder / f"{name}.tgz", "w:gz") as tar:
        for path, text in scripts.items():
            info = tarfile.TarInfo(path)
            info.size, info.mode = len(text), 0o755
            tar.addfile(info, io.BytesIO(text.encode()))
    return {"url": theatre.stage.objects.url(f"{name}.tgz")}


def test_what_a_compile_leaves_in_a_session_of_its_own_is_ended(theatre: Theatre) -> None:
    leaves = "#!/bin/sh\nsetsid sleep 300 >/dev/null 2>&1 &\nsleep 1\necho left\n"
    packs = [served(theatre, "leaves", leaves), served(theatre, "looks", LOOK)]
    built = theatre.build({"Procfile": "web: x\n"}, buildpacks=packs).succeeded()

    assert "left\n" in built.log
    assert "nobody sleeps\n" in built.log


def test_a_compile_cannot_write_outside_its_folders(theatre: Theatre) -> None:
    outside = "#!/bin/sh\nset -e\ntouch /tmp/fine /app/fine\ntouch /usr/bin/evil\n"
    log = theatre.build({"x": ""}, buildpacks=[served(theatre, "evil", outside)]).failed()

    assert "/usr/bin/evil" in log
    assert "Read-only file system" in log
