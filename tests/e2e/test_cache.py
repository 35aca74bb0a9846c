"""The build cache of an app on the cluster: it comes back, until somebody purges it."""

from __future__ import annotations

import sample_apps as apps
from terminal import Make

COUNT = """#!/usr/bin/env bash
count=$(cat "$CACHE_DIR/count" 2>/dev/null || echo 0)
echo "builds before: $count"
echo $((count + 1)) > "$CACHE_DIR/count"
"""


def test_a_purged_cache_is_empty_and_only_then(workspace: Make) -> None:
    app = workspace("cache")
    apps.plain(app.folder)
    app.write("bin/post_compile", COUNT)
    (app.folder / "bin" / "post_compile").chmod(0o755)
    app.commit()
    assert "builds before: 0" in app.push()
    app.git("commit", "-q", "--allow-empty", "-m", "second")
    assert "builds before: 1" in app.push()

    said = app.person.haikube("builds", "purge-cache", "--app", app.app).stdout
    assert f"Purging the build cache of {app.app}... done" in said
    app.git("commit", "-q", "--allow-empty", "-m", "third")
    assert "builds before: 0" in app.push()
