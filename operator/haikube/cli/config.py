"""What ``haikube login`` remembers: where the platform is and who the caller is there.

The file holds a bearer token, so it is readable by its owner alone and never printed.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import click


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

    def expired(self, now: datetime) -> bool:
        """Tell whether the token is past its end; an unknown end never is."""
        return bool(self.expires_at) and now >= datetime.fromisoformat(self.expires_at)


def config_dir() -> Path:
    """Return ``$XDG_CONFIG_HOME/haikube``."""
    home = os.environ.get("XDG_CONFIG_HOME") or str(Path.home() / ".config")
    return Path(home) / "haikube"


def login_file() -> Path:
    """Return the file that ``haikube login`` writes."""
    return config_dir() / "login.json"


def save(login: Login) -> Path:
    """Write the login so that only its owner can read it, in one step."""
    path = login_file()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(login), file, indent=2)
    draft.replace(path)
    return path


def load() -> Login:
    """Return the saved login, or end the command with the remedy."""
    path = login_file()
    try:
        return Login(**json.loads(path.read_text()))
    except FileNotFoundError:
        raise click.ClickException("not logged in. Run: haikube login") from None
    except (ValueError, TypeError):
        raise click.ClickException(f"{path} is damaged. Run: haikube login") from None


def now() -> datetime:
    """Return the present moment; a seam for tests."""
    return datetime.now(UTC)
