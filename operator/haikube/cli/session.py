"""``haikube login``: become somebody towards the platform, and tell git how.

The token is the kubeconfig's own where it has one; a kubeconfig with a client certificate gets a
short-lived token of a service account (TokenRequest), because git can only send a password.
"""

from __future__ import annotations

import asyncio
import subprocess
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import click

from haikube.cli.config import Login, load, login_file, now, save
from haikube.cli.kubeconfig import default_kubeconfig
from haikube.cli.platform import connect
from haikube.cluster.errors import AlreadyExists, ApiError
from haikube.cluster.http import HttpCluster
from haikube.cluster.identity import load as load_credentials
from haikube.model.resources import SERVICE_ACCOUNTS, Resource

TOKEN_LIFE = timedelta(hours=8)
DEVELOPER_ROLE = "haikube-developer"
_ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding")


@click.command()
@click.argument("api", default="http://api.localhost:8080")
@click.option("--kubeconfig", default="", help="Default: $KUBECONFIG, ~/.kube/config, make up's.")
@click.option("--namespace", "-n", default="default", show_default=True, help="Your team.")
@click.option("--service-account", default="developer", show_default=True, help="Acts for you.")
@click.option("--ca-file", default="", help="CA certificate of an https api.")
def login(api: str, kubeconfig: str, namespace: str, service_account: str, ca_file: str) -> None:
    """Log in to the platform at API with your kubeconfig, and let git use it."""
    wanted = Login(
        api=api.rstrip("/"),
        token="",
        expires_at="",
        namespace=namespace,
        kubeconfig=kubeconfig or default_kubeconfig(),
        service_account=service_account,
        ca_file=str(Path(ca_file).resolve()) if ca_file else "",
    )
    made = renew(wanted)
    _configure_git(made)
    click.echo(f"Logged in to {made.api} as {asyncio.run(_account(made))}")


@click.command()
def logout() -> None:
    """Forget the token."""
    login_file().unlink(missing_ok=True)
    click.echo("Logged out")


@click.command()
def whoami() -> None:
    """Say who the platform takes you for."""
    click.echo(asyncio.run(_account(current_login())))


def current_login() -> Login:
    """Return the saved login, with a new token when the old one has expired."""
    saved = load()
    return renew(saved) if saved.expired(now()) else saved


def renew(login: Login) -> Login:
    """Obtain a token, save it and return the login that holds it."""
    try:
        made = asyncio.run(obtain(login))
    except ApiError as error:
        raise click.ClickException(
            f"no token from {login.kubeconfig}: {error.message}. "
            "Name another kubeconfig with --kubeconfig FILE."
        ) from error
    except OSError as error:
        raise click.ClickException(f"cannot use {login.kubeconfig}: {error}") from error
    save(made)
    return made


async def obtain(login: Login) -> Login:
    """Return the login with a token, without saving it."""
    credentials = load_credentials(login.kubeconfig)
    if own := await credentials.token():
        return replace(login, token=own, expires_at="")
    async with HttpCluster(credentials, user_agent="haikube-cli") as cluster:
        await _ensure_service_account(cluster, login)
        token = await _request_token(cluster, login)
    ends = now() + TOKEN_LIFE - timedelta(minutes=1)
    return replace(login, token=token, expires_at=ends.isoformat())


async def _request_token(cluster: HttpCluster, login: Login) -> str:
    """Ask for a token of the service account; a subresource that is created like an object."""
    plural = f"{SERVICE_ACCOUNTS.plural}/{login.service_account}/token"
    answer = await cluster.create(
        Resource("", "v1", plural, "TokenRequest"),
        {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "metadata": {"namespace": login.namespace},
            "spec": {"expirationSeconds": int(TOKEN_LIFE.total_seconds())},
        },
    )
    return str(answer["status"]["token"])


async def _ensure_service_account(cluster: HttpCluster, login: Login) -> None:
    """Make the account and its role in the team; both may be there already."""
    metadata = {"name": login.service_account, "namespace": login.namespace}
    subject = {"kind": "ServiceAccount", **metadata}
    role = {
        "apiGroup": "rbac.authorization.k8s.io",
        "kind": "ClusterRole",
        "name": DEVELOPER_ROLE,
    }
    for resource, body in (
        (SERVICE_ACCOUNTS, {"metadata": metadata}),
        (_ROLE_BINDINGS, {"metadata": metadata, "roleRef": role, "subjects": [subject]}),
    ):
        try:
            await cluster.create(
                resource, {"apiVersion": resource.api_version, "kind": resource.kind, **body}
            )
        except AlreadyExists:
            continue


async def _account(login: Login) -> str:
    async with connect(login) as platform:
        return str((await platform.call("GET", "/account"))["email"])


def _configure_git(login: Login) -> None:
    """Make git ask us for the password of this api alone."""
    section = f"credential.{login.api}"
    _git_config("--unset-all", f"{section}.helper")
    _git_config("--add", f"{section}.helper", "")
    _git_config("--add", f"{section}.helper", "!haikube git-credential")
    if login.ca_file:
        _git_config(f"http.{login.api}/.sslCAInfo", login.ca_file)


def _git_config(*words: str) -> None:
    subprocess.run(["git", "config", "--global", *words], check=False, capture_output=True)
