"""Runs the app's ``manage.py collectstatic``, unless its settings name no place for the files.

To ask for the settings first would start Django twice. Settings that cannot be loaded are for
collectstatic itself to report.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

from django.conf import settings
from django.core.management import ManagementUtility

NOT_WANTED = 3


def wanted() -> bool:
    """Tell whether the project has static files and a folder for them."""
    try:
        installed = [str(app) for app in settings.INSTALLED_APPS]
        return bool(settings.STATIC_ROOT) and any("staticfiles" in app for app in installed)
    except Exception:  # noqa: BLE001 - settings are the app's code
        return True


def run(manage: str) -> None:
    """Run ``manage.py`` with a look at the settings between its own preparations and Django."""
    execute = ManagementUtility.execute

    def looked(utility: ManagementUtility) -> None:
        if not wanted():
            sys.exit(NOT_WANTED)
        execute(utility)

    ManagementUtility.execute = looked
    sys.argv = [manage, "collectstatic", "--noinput", "--traceback"]
    sys.path[0] = str(Path(manage).resolve().parent)
    runpy.run_path(manage, run_name="__main__")


run(sys.argv[1])
