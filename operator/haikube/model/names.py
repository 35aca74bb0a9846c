"""Deterministic names of child objects and storage keys.

Two writers that mean the same thing arrive at the same name, so the API server decides races.
A name given by a user never becomes part of a storage key; keys are made of uids.
"""

from __future__ import annotations

import hashlib
import re

APP_NAME = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")
PROCESS_TYPE = re.compile(r"[A-Za-z0-9][\w-]{0,127}", re.ASCII)
BUILDPACK = re.compile(r"(?P<namespace>[a-z0-9][a-z0-9-]*/)?[a-z0-9][a-z0-9-]*", re.ASCII)
LONGEST_STRING = 131_072
"""Bytes of ``NAME=value`` and its end that Linux hands to a program (MAX_ARG_STRLEN)."""
CONFIG_VAR = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
OWN_TO_SHELL = re.compile(
    r"_|IFS|PS[124]|P?PID|PWD|OLDPWD|SHLVL|SHELLOPTS|BASHOPTS|BASHPID|BASH|BASH_(?!ENV$|FUNC)\w+"
    r"|COMP_WORDBREAKS|EPOCH(REALTIME|SECONDS)|HISTCMD|LINENO|OPT(IND|ERR)|PIPESTATUS|S?RANDOM"
)
"""Variables to which the shell that starts every dyno gives values of its own, as on Heroku."""

_PLAIN_TYPE = re.compile(r"[a-z0-9]{1,20}")
_HASH_LENGTH = 6
_STEM_LENGTH = 20


def formation_name(app: str, process_type: str) -> str:
    """Return the name of the Formation, Deployment and Service of a process type.

    A type that is not plain lower case alphanumerics gets a hash: ``a_b`` and ``a-b`` stay apart,
    and so do the apps ``x`` with type ``y-web`` and ``x-y`` with type ``web``.
    """
    if _PLAIN_TYPE.fullmatch(process_type):
        return f"{app}-{process_type}"
    stem = re.sub(r"[^a-z0-9]+", "-", process_type.lower())[:_STEM_LENGTH].strip("-")
    digest = hashlib.sha256(process_type.encode()).hexdigest()[:_HASH_LENGTH]
    return "-".join(part for part in (app, stem, digest) if part)


def route_name(formation: str, number: int) -> str:
    """Return the name of one of the HTTPRoutes of a web formation; most apps need only one."""
    return f"{formation}-hosts-{number}" if number else formation


def release_name(app: str, version: int) -> str:
    """Return the name of a Release, which is also that of its config snapshot Secret."""
    return f"{app}-v{version}"


def slug_secret_name(release: str) -> str:
    """Return the name of the Secret that holds a release's presigned slug URL."""
    return f"{release}-slug"


def config_secret_name(app: str) -> str:
    """Return the name of the Secret that holds an app's current config vars."""
    return f"{app}-config"


def drains_secret_name(app: str) -> str:
    """Return the name of the Secret that holds an app's drains."""
    return f"{app}-drains"


def certificates_name(app_uid: str, part: int | str) -> str:
    """Return the name of what serves certificates of an app, in the gateway's namespace."""
    return f"certificates-{app_uid}-{part}"


def one_off_stem(app: str) -> str:
    """Return what the name of a Dyno begins with that the api made; ``-<number>`` follows."""
    return f"{app}-run"


def phase_job_name(release: str, retry: str = "") -> str:
    """Return the name of the Job that runs the release phase of a release, or runs it once more."""
    if not retry:
        return f"{release}-release"
    return f"{release}-release-{hashlib.sha256(retry.encode()).hexdigest()[:_HASH_LENGTH]}"


def build_urls_secret_name(build: str) -> str:
    """Return the name of the Secret that holds a build's presigned URLs."""
    return f"{build}-urls"


def source_key(app_uid: str, archive: str) -> str:
    """Return where a source archive of that name is stored."""
    return f"sources/{app_uid}/{archive}"


def slug_key(app_uid: str, build_uid: str) -> str:
    """Return where the slug of a build is stored."""
    return f"slugs/{app_uid}/{build_uid}.tar.zst"


def result_key(app_uid: str, build_uid: str) -> str:
    """Return where the full result of a build is stored, too long for a termination message."""
    return f"slugs/{app_uid}/{build_uid}.json"


def cache_prefix(app_uid: str, mark: str = "") -> str:
    """Return the prefix of an app's build caches; another mark is another, empty one.

    A build that still writes to the one before cannot bring it back.
    """
    prefix = f"caches/{app_uid}/"
    return f"{prefix}{hashlib.sha256(mark.encode()).hexdigest()[:16]}/" if mark else prefix


def cache_key(app_uid: str, stack: str, mark: str = "") -> str:
    """Return where the build cache of an app is stored, one per stack."""
    return f"{cache_prefix(app_uid, mark)}{stack}.tar.zst"


def log_key(app_uid: str, build_uid: str) -> str:
    """Return where the log of a finished build is stored."""
    return f"logs/{app_uid}/{build_uid}.log"


def runtime_name(language: str, version: str) -> str:
    """Return what a runtime of the platform is called.

    >>> runtime_name("ruby", "3.4.7")
    'ruby-3.4.7'
    """
    return f"{language}-{version}"


def runtime_key(stack: str, runtime: str, digest: str) -> str:
    """Return where a runtime that the platform made for a stack is stored; it is no app's.

    One that is made anew has another key: a build that is under way fetches what it was told of.
    """
    return f"{RUNTIMES}/{stack}/{runtime}-{digest.removeprefix('sha256:')[:16]}.tar.zst"


def git_prefix(app_uid: str) -> str:
    """Return the prefix under which an app's git repository is stored."""
    return f"git/{app_uid}/"


def webhooks_prefix(app_uid: str) -> str:
    """Return the prefix under which an app's webhooks and their deliveries are stored."""
    return f"webhooks/{app_uid}/"


def is_of_app(key: str, area: str, app_uid: str) -> bool:
    """Return whether a key that somebody wrote into a spec lies in an area of this very app.

    >>> is_of_app("slugs/1-2/x", "slugs", "1-2"), is_of_app("slugs/1-2/../3-4/x", "slugs", "1-2")
    (True, False)
    """
    return key.startswith(f"{area}/{app_uid}/") and ".." not in key.split("/")


STORAGE_AREAS = ("sources", "slugs", "caches", "logs", "git", "webhooks")
"""First segments of every key of an app; the second is always its uid."""

RUNTIMES = "runtimes"
"""First segment of what the platform made for a stack; the second is the stack's name."""

ALL_AREAS = (*STORAGE_AREAS, RUNTIMES)
"""First segments of every key that is swept and counted."""
