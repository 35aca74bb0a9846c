"""``haikube sample``: deploy the sample app, so that a new platform has something to show.

It logs in for itself and leaves the person's own login and git configuration alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import http.client
import tempfile
import time
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import click

from haikube.bridge.profile import Login
from haikube.bridge.tokens import obtain
from haikube.cli.archive import write_archive
from haikube.cli.builds import deploy_archive
from haikube.cli.logins import local_api
from haikube.cli.platform import Platform, connect
from haikube.local.paths import Paths, data_root

NAME = "sample"
FOLDER = Path("buildpacks") / "samples" / "hello"
PATIENCE = 120.0
SOON = 20.0
"""How long a sample that was deployed before may take; then it is deployed again."""

_VERSION = 12


@click.command()
@click.option("--api", default=local_api, help="URL; default: that of the local cluster.")
def sample(api: str) -> None:
    """Deploy the sample app to the local cluster, unless it runs already."""
    kubeconfig = str(Paths.default().kubeconfig)
    wanted = Login(api, "", "", "default", kubeconfig, "developer")
    login = asyncio.run(obtain(wanted))
    with tempfile.TemporaryFile() as archive:
        write_archive(data_root() / FOLDER, archive)
        version = _digest(archive)
        url, built = asyncio.run(_deploy(login, archive, version, again=False))
        if not built and _answer(url, SOON) is None:
            click.echo("The sample does not answer: deploying it again", err=True)
            asyncio.run(_deploy(login, archive, version, again=True))
    body = _answer(url, PATIENCE)
    if body is None:
        raise click.ClickException(f"{url} does not answer. See: kubectl describe app {NAME}")
    click.echo(f"\n{url}\n  {body}")


async def _deploy(
    login: Login, archive: BinaryIO, version: str, *, again: bool
) -> tuple[str, bool]:
    """Return the sample's URL and whether it was built now."""
    async with connect(login) as platform:
        app = await _ensure(platform, login.namespace)
        if not again and await _deployed(platform, version):
            return str(app["web_url"]), False
        archive.seek(0)
        build = await deploy_archive(platform, NAME, archive, version)
        if build["status"] != "succeeded":
            raise click.ClickException(f"the sample's build {build['name']} {build['status']}")
    return str(app["web_url"]), True


async def _ensure(platform: Platform, team: str) -> dict[str, Any]:
    apps = (await platform.call("GET", "/apps"))["items"]
    for app in apps:
        if app["name"] == NAME:
            return dict(app)
    return await platform.call("POST", "/apps", json={"name": NAME, "team": team})


async def _deployed(platform: Platform, version: str) -> bool:
    builds = (await platform.call("GET", f"/apps/{NAME}/builds"))["items"]
    newest = builds[0] if builds else {}
    same = (newest.get("source_blob") or {}).get("version") == version
    return same and newest["status"] == "succeeded"


def _digest(archive: BinaryIO) -> str:
    archive.seek(0)
    digest = hashlib.file_digest(archive, "sha256").hexdigest()[:_VERSION]  # type: ignore[arg-type] # a BinaryIO is what it asks for
    archive.seek(0)
    return digest


def _answer(url: str, seconds: float) -> str | None:
    """Return what the app says, or None when it does not answer 200 in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status, body = _fetch(url)
        if status == http.HTTPStatus.OK:
            return body.strip()
        time.sleep(0.25)
    return None


def _fetch(url: str) -> tuple[int, str]:
    """Ask the gateway on this machine, whatever the resolver thinks of ``*.localhost``."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection("127.0.0.1", parts.port or 80, timeout=5)
    try:
        connection.request("GET", parts.path, headers={"Host": parts.netloc})
        response = connection.getresponse()
        return response.status, response.read(4096).decode(errors="replace")
    except OSError as error:
        return 0, str(error)
    finally:
        connection.close()
