"""What git has to know: our helper for credentials, and the authority of the bridge.

It stands in a file of ours. The person's own file gets one marked block that includes it, after a
line that keeps the Heroku CLI content: the CLI sets its own helper whenever it does not find it,
which costs seconds in each push, and it does not look into included files.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from haikube.bridge.authority import authority_file
from haikube.bridge.profile import Login, config_dir
from haikube.cli import files

HELPER = "!haikube git-credential"
_HEROKU_HELPER = "!heroku git:credentials"
_BEGIN = "# haikube: what follows is removed by haikube logout"
_END = "# haikube: end"
_BLOCK = re.compile(rf"{_BEGIN}\n.*?{_END}\n", re.DOTALL)
_PUBLIC = 0o644


def included_file() -> Path:
    """Return our own file."""
    return config_dir() / "gitconfig"


def global_file() -> Path:
    """Return the file that ``git config --global`` writes."""
    if chosen := os.environ.get("GIT_CONFIG_GLOBAL"):
        return Path(chosen)
    home = Path(os.environ.get("HOME") or Path.home())
    usual = home / ".gitconfig"
    other = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git" / "config"
    return other if other.exists() and not usual.exists() else usual


def write(logins: Sequence[Login]) -> bool:
    """Configure git for these platforms and no other; tell whether anything changed."""
    changed = _drop_old_helpers()
    changed |= files.replace(included_file(), "".join(map(_sections, logins)), _PUBLIC)
    own = _BLOCK.sub("", files.read(global_file()))
    if own and logins and not own.endswith("\n"):
        own += "\n"
    block = _block(logins) if logins else ""
    return files.replace(global_file(), own + block, _PUBLIC) or changed


def _sections(login: Login) -> str:
    text = _credential(login.api) + (_trust(login.api, login.ca_file) if login.ca_file else "")
    if login.bridge:
        bridge = f"https://{login.bridge}"
        text += _credential(bridge) + _trust(bridge, str(authority_file()))
    return text


def _credential(url: str) -> str:
    return f'[credential "{url}"]\n\thelper =\n\thelper = {HELPER}\n'


def _trust(url: str, authority: str) -> str:
    quoted = authority.replace("\\", "\\\\").replace('"', '\\"')
    return f'[http "{url}/"]\n\tsslCAInfo = "{quoted}"\n'


def _block(logins: Sequence[Login]) -> str:
    heroku = "".join(
        f'[credential "https://{login.bridge}"]\n\thelper = {_HEROKU_HELPER}\n'
        for login in logins
        if login.bridge
    )
    return f'{_BEGIN}\n{heroku}[include]\n\tpath = "{included_file()}"\n{_END}\n'


def _drop_old_helpers() -> bool:
    """Remove what logins of earlier versions wrote straight into the person's file."""
    keys = "^credential\\..*\\.helper$"
    listed = _git("config", "--global", "--get-regexp", keys)
    dropped = False
    for line in listed.splitlines():
        key, _, value = line.partition(" ")
        if value == HELPER:
            _git("config", "--global", "--unset-all", key)
            dropped = True
    return dropped


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
    return done.stdout
