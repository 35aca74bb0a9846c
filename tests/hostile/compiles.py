"""An app whose own hook is a stranger's program, as good as any buildpack."""

from __future__ import annotations

import sample_apps as apps
from terminal import Workspace


def hostile(app: Workspace, script: str) -> None:
    """Write an app whose compile runs a script."""
    apps.plain(app.folder)
    app.write("bin/post_compile", f"#!/usr/bin/env bash\n{script}\n")
    (app.folder / "bin" / "post_compile").chmod(0o755)
    app.commit()
