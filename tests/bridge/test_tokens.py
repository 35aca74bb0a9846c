"""A kubeconfig whose plugin gives the tokens: a new one when the old one is over."""

from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.local import a_login
from haikube.bridge.profile import save
from haikube.bridge.tokens import Tokens
from haikube.cluster import kubeconfig as loader

PLUGIN = """#!/bin/sh
printf x >> {count}
number=$(wc -c < {count})
cat <<END
{{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",
 "status": {{"token": "token-$(echo $number)", "expirationTimestamp": "{ends}"}}}}
END
"""


def kubeconfig(folder: Path, ends: datetime) -> Path:
    """Write a kubeconfig that runs a plugin, which counts how often it ran."""
    plugin = folder / "plugin"
    stamp = ends.strftime("%Y-%m-%dT%H:%M:%SZ")
    plugin.write_text(PLUGIN.format(count=folder / "count", ends=stamp))
    plugin.chmod(plugin.stat().st_mode | stat.S_IXUSR)
    asked = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": str(plugin),
        "interactiveMode": "Never",
    }
    written = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "u", "user": {"exec": asked}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "u"}}],
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(written))
    return path


@pytest.mark.parametrize(("hours", "wanted"), [(-1, "other"), (8, "same")])
async def test_the_plugin_is_asked_again_once_its_token_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hours: int, wanted: str
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(loader, "TOKEN_SECONDS", 0.0)
    path = kubeconfig(tmp_path, datetime.now(UTC) + timedelta(hours=hours))
    login = a_login("https://api.example.com")
    save("default", replace(login, kubeconfig=str(path), token="", expires_at=""))
    tokens = Tokens("default")
    first, second = (await tokens.current()).token, (await tokens.current()).token

    assert first.startswith("token-")
    assert ("same" if first == second else "other") == wanted
