"""What a login remembers: where the platform is, who the caller is there, and the bridge's port.

One file per profile, so that several platforms stand side by side. It holds a bearer token and the
bridge's key: its owner alone may read it, and it is never printed. Git asks for a password in each
push, so nothing heavy is imported here.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

DEFAULT: Final = "default"
FIRST_PORT: Final = 7007
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")


class LoginError(Exception):
    """No usable login; the message holds the remedy."""


@dataclass(frozen=True, slots=True)
class Login:
    """One platform: its api URL, the bearer token and how to obtain the next one."""

    api: str
    token: str
    expires_at: str
    namespace: str
    kubeconfig: str
    service_account: str
    ca_file: str = ""
    account: str = ""
    """Who the platform takes the caller for."""
    grant: str = ""
    """Name of the Secret that the tokens are bound to: when it goes, they end."""
    port: int = 0
    """Port of the bridge, 0 for a login without one."""
    key: str = ""
    """What clients show the bridge."""

    def expired(self, now: datetime) -> bool:
        """Tell whether the token is past its end; an unknown end never is."""
        return bool(self.expires_at) and now >= datetime.fromisoformat(self.expires_at)

    @property
    def bridge(self) -> str:
        """Return ``localhost:PORT``, as clients write the bridge; empty without one."""
        return f"localhost:{self.port}" if self.port else ""

    @property
    def platform(self) -> str:
        """Return host and port of the api."""
        return urlsplit(self.api).netloc


def config_dir() -> Path:
    """Return ``$XDG_CONFIG_HOME/haikube``."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "haikube"


def state_dir() -> Path:
    """Return ``$XDG_STATE_HOME/haikube``: logs and process ids of bridges."""
    home = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(home) / "haikube"


def current_profile() -> str:
    """Return the profile that this shell is about."""
    return require_name(os.environ.get("HAIKUBE_PROFILE") or DEFAULT)


def require_name(name: str) -> str:
    """Return a name that may be one of a profile, or raise a ``LoginError`` with the rule."""
    if not _NAME.fullmatch(name):
        raise LoginError(
            f"{name!r} cannot be a profile: up to 30 lower-case letters, digits and dashes."
        )
    return name


def login_file(profile: str) -> Path:
    """Return the file of a profile."""
    return config_dir() / "platforms" / f"{profile}.json"


def save(profile: str, login: Login) -> Path:
    """Write the login so that only its owner can read it, in one step."""
    path = login_file(profile)
    write_private(path, json.dumps(asdict(login), indent=2) + "\n")
    return path


def write_private(path: Path, text: str) -> None:
    """Replace a file by one that only its owner may read, in one step."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    draft.replace(path)


def load(profile: str) -> Login:
    """Return the saved login; raises a ``LoginError``."""
    path = login_file(profile)
    again = "haikube login" if profile == DEFAULT else f"haikube login URL --profile {profile}"
    try:
        return _parsed(json.loads(path.read_text()))
    except FileNotFoundError:
        raise LoginError(f"not logged in. Run: {again}") from None
    except (ValueError, TypeError):
        raise LoginError(f"{path} is damaged. Run: {again}") from None


def _parsed(values: dict[str, Any]) -> Login:
    login = Login(**values)
    urlsplit(login.api)
    return replace(login, port=int(login.port))


def all_logins() -> Iterator[tuple[str, Login]]:
    """Yield the profiles whose files can be read, by name."""
    for path in sorted((config_dir() / "platforms").glob("*.json")):
        try:
            yield path.stem, load(path.stem)
        except LoginError:
            continue


def now() -> datetime:
    """Return the present moment; a seam for tests."""
    return datetime.now(UTC)
