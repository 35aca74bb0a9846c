"""The scripts of the buildpacks, and the names that they give to variables."""

from __future__ import annotations

import re

from buildpacks.shell import ROOT

SCRIPTS = [path for path in ROOT.rglob("*") if path.is_file() and "samples" not in path.parts]


ASSIGNED = re.compile(r"(?:^|[ (;])([A-Z][A-Z0-9_]+)=")


BENDING = ["TAR_OPTIONS", "http_proxy", "ALL_PROXY", "CDPATH", "GREP_OPTIONS", "GZIP"]


OF_BASH = ["UID", "EUID", "PPID", "RANDOM", "SECONDS", "GROUPS", "DIRSTACK", "PIPESTATUS", "OPTIND"]


BLOCKED = re.compile(
    r"HAIKUBE_.*|BUILDPACK_.*|BASH_.*|BUILD_DIR|CACHE_DIR|ENV_DIR|STACK|TMPDIR|GIT_DIR"
    r"|HOME|LANG|IFS|ENV|[A-Z_]*PATH|SSL_CERT_FILE|CURL_CA_BUNDLE"
)


def names_of_scripts() -> list[str]:
    """Return every name that a script gives a value, and some of bash's own."""
    texts = [path.read_bytes().decode(errors="replace") for path in SCRIPTS]
    found = {name for text in texts for name in ASSIGNED.findall(text)}
    assert {"POETRY_VERSION", "UV_VERSION", "EXPLAINED", "TREE_KEY", "RUN_STATUS"} <= found
    return sorted(name for name in {*found, *OF_BASH, *BENDING} if not BLOCKED.fullmatch(name))
