"""What a buildpack finds in its environment: little, and always the same.

Config vars are files in ENV_DIR and never variables; the pod's own variables are passed on, since
that is how the platform hands out mirrors and proxies, but for those of Kubernetes and Python.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from haikube.build.failure import BuildFailure, Reason
from haikube.build.layout import Layout
from haikube.build.request import Request
from haikube.model.names import CONFIG_VAR, LONGEST_STRING
from haikube.model.secret import is_text

PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
ENGINE_ENV: Final[Mapping[str, str]] = {"PATH": PATH, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
"""For the tools that the engine itself runs."""

CA_VARIABLES: Final = (
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "HAIKUBE_CA_BUNDLE",
)
"""How the tools of eight languages are told whom to trust; each wants its own variable."""

_FOREIGN_PREFIXES = ("KUBERNETES_", "PYTHON", "HAIKUBE_")
_FOREIGN: Final = frozenset(
    {"HOSTNAME", "PWD", "OLDPWD", "SHLVL", "_", "PATH", "HOME", "TERM", "DYNO", "PORT"}
)


def merge_ca(layout: Layout) -> Path | None:
    """Join the platform's certificates with the system's; None when the platform has none."""
    if not layout.extra_ca.is_file():
        return None
    merged = layout.scratch / "ca-certificates.crt"
    parts = [path.read_bytes() for path in (layout.system_ca, layout.extra_ca) if path.is_file()]
    merged.write_bytes(b"\n".join(parts))
    return merged


def platform_variables(environ: Mapping[str, str], ca_file: Path | None) -> dict[str, str]:
    """Return what the platform hands to every child: mirrors, proxies and trusted CAs."""
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _FOREIGN and not name.startswith(_FOREIGN_PREFIXES)
    }
    if ca_file:
        kept.update(dict.fromkeys(CA_VARIABLES, str(ca_file)))
    return kept


def buildpack_env(
    request: Request, layout: Layout, ca_file: Path | None, environ: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Return the process environment of detect, compile and release."""
    return {
        "LANG": "C.UTF-8",
        **platform_variables(os.environ if environ is None else environ, ca_file),
        "PATH": PATH,
        "HOME": str(layout.home),
        "STACK": request.alias,
        "HAIKUBE_STACK": request.stack,
        "SOURCE_VERSION": request.source_version,
        "REQUEST_ID": request.build,
        "BUILD_DIR": str(layout.build_dir),
        "CACHE_DIR": str(layout.cache_dir),
        "ENV_DIR": str(layout.env_dir),
        "TMPDIR": str(_temporary(layout)),
    }


def _temporary(layout: Layout) -> Path:
    """On the scratch mount: tools rename from their temporary folder into the build."""
    folder = layout.scratch / "tmp"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_env_dir(layout: Layout) -> None:
    """Copy config vars out of the mounted Secret, which is full of Kubernetes' own links."""
    if not layout.config.is_dir():
        return
    for entry in sorted(layout.config.iterdir()):
        if CONFIG_VAR.fullmatch(entry.name) and entry.is_file():
            _require_short(entry)
            _require_text(entry)
            target = layout.env_dir / entry.name
            shutil.copyfile(entry, target)
            target.chmod(0o600)


def _require_short(entry: Path) -> None:
    """Refuse a config var with which no program of the build would start."""
    size = len(entry.name) + 2 + entry.stat().st_size
    if size > LONGEST_STRING:
        raise BuildFailure(
            Reason.INVALID_CONFIG_VAR,
            f"The config var {entry.name} has {size:,} bytes with its name, and with more than "
            f"{LONGEST_STRING:,} Linux starts no program; store the value elsewhere, or in parts",
        )


def _require_text(entry: Path) -> None:
    """Refuse a config var that no container can be given: the slug could never run with it."""
    if not is_text(entry.read_bytes()):
        raise BuildFailure(
            Reason.INVALID_CONFIG_VAR,
            f"The value of the config var {entry.name} is no text (UTF-8 without zero bytes), "
            "which no container can be given; store it as base64",
        )
