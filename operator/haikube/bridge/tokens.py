"""Tokens for the platform: the kubeconfig's own, or short-lived ones of a service account.

A kubeconfig with a client certificate has no token that could be sent, so it asks for one of a
service account (TokenRequest). Such tokens are bound to a Secret that the login makes: logout
deletes it, and they end at once.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from haikube.bridge.profile import Login, load, now, save
from haikube.cluster.accounts import request_token
from haikube.cluster.credentials import Credentials
from haikube.cluster.errors import AlreadyExists, ApiError, Forbidden, NotFound, Unreachable
from haikube.cluster.http import HttpCluster
from haikube.cluster.identity import load as load_credentials
from haikube.model.resources import ROLE_BINDINGS, SECRETS, SERVICE_ACCOUNTS, Resource

TOKEN_LIFE: Final = timedelta(hours=8)
_EARLY: Final = timedelta(minutes=5)
_ROLES: Final = (("haikube-developer", ""), ("haikube-admin", "-admin"))
_LOGIN_LABEL: Final = "haikube.dev/login"


async def obtain(login: Login) -> Login:
    """Return the login with a new token, without saving it. Raises ApiError and OSError."""
    if not login.kubeconfig:
        return login
    credentials = await credentials_of(login)
    if own := await credentials.token():
        return replace(login, token=own, expires_at="")
    async with HttpCluster(credentials, user_agent="haikube-cli") as cluster:
        return await _as_service_account(cluster, login)


async def revoke(login: Login) -> bool:
    """End the tokens that a login obtained; tell whether there were any that could be ended."""
    if not login.grant:
        return False
    async with HttpCluster(await credentials_of(login), user_agent="haikube-cli") as cluster:
        with suppress(NotFound):
            await cluster.delete(SECRETS, login.grant, login.namespace)
    return True


class Tokens:
    """The login of a profile with a token that is good now, for a process that lives long.

    The file is read again when a new login replaced it.
    """

    def __init__(self, profile: str) -> None:
        self._profile = profile
        self._own: tuple[str, Credentials] | None = None
        self._renewing = asyncio.Lock()

    async def current(self) -> Login:
        """Return the login; raises LoginError, ApiError and OSError when there is no token."""
        login = load(self._profile)
        if not login.kubeconfig:
            return login
        if not login.expires_at:
            return await self._with_own_token(login)
        if not login.expired(now() + _EARLY):
            return login
        async with self._renewing:
            login = load(self._profile)
            return await self.renew(login) if login.expired(now() + _EARLY) else login

    async def renew(self, login: Login) -> Login:
        """Obtain a token and save it."""
        made = await obtain(login)
        save(self._profile, made)
        return made

    async def _with_own_token(self, login: Login) -> Login:
        """Ask the kubeconfig: it runs its plugin or reads its file again when it is time."""
        if self._own is None or self._own[0] != login.kubeconfig:
            self._own = (login.kubeconfig, await credentials_of(login))
        token = await self._own[1].token()
        return replace(login, token=token) if token else await obtain(login)


async def credentials_of(login: Login) -> Credentials:
    """Read the kubeconfig, in a thread: it takes a second. Raises OSError, whatever is wrong."""
    try:
        return await asyncio.to_thread(load_credentials, login.kubeconfig)
    except OSError:
        raise
    except Exception as error:  # errors of the loader, which is not ours to import
        raise OSError(f"{login.kubeconfig}: {error}") from error


async def _as_service_account(cluster: HttpCluster, login: Login) -> Login:
    await _ensure_service_account(cluster, login)
    made = replace(login, grant=login.grant or f"haikube-login-{secrets.token_hex(5)}")
    binding = await _grant(cluster, made)
    seconds = int(TOKEN_LIFE.total_seconds())
    status = await request_token(
        cluster, made.service_account, made.namespace, seconds=seconds, bound_to=binding
    )
    ends = now() + TOKEN_LIFE - timedelta(minutes=1)
    return replace(
        made,
        token=str(status["token"]),
        expires_at=ends.isoformat(),
        grant=made.grant if binding else "",
    )


async def _ensure_service_account(cluster: HttpCluster, login: Login) -> None:
    """Make the account and its roles in the team; all may be there already.

    Who may make it is an administrator of the namespace, and so it acts as one of the team.
    """
    metadata = {"name": login.service_account, "namespace": login.namespace}
    await _ensure(cluster, SERVICE_ACCOUNTS, {"metadata": metadata})
    for role, suffix in _ROLES:
        name = f"{login.service_account}{suffix}"
        reference = {"apiGroup": ROLE_BINDINGS.group, "kind": "ClusterRole", "name": role}
        subjects = [{"kind": "ServiceAccount", **metadata}]
        binding = {"roleRef": reference, "subjects": subjects}
        await _ensure(cluster, ROLE_BINDINGS, {"metadata": {**metadata, "name": name}, **binding})


async def _ensure(cluster: HttpCluster, resource: Resource, body: dict[str, Any]) -> None:
    with suppress(AlreadyExists):
        await cluster.create(
            resource, {"apiVersion": resource.api_version, "kind": resource.kind, **body}
        )


async def _grant(cluster: HttpCluster, login: Login) -> dict[str, str] | None:
    """Make the Secret that the tokens live with, and return a reference to it.

    None where the caller may not: the tokens then end by themselves, after eight hours.
    """
    metadata = {
        "name": login.grant,
        "namespace": login.namespace,
        "labels": {_LOGIN_LABEL: login.service_account},
    }
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque"}
    try:
        made = await cluster.create(SECRETS, body)
    except AlreadyExists:
        made = await cluster.get(SECRETS, login.grant, login.namespace)
    except (Forbidden, NotFound):
        return None
    uid = made["metadata"]["uid"]
    return {"apiVersion": "v1", "kind": "Secret", "name": login.grant, "uid": uid}


def words(error: Exception) -> str:
    """Return what a person can do about a token that was not to be had."""
    said = error.message if isinstance(error, ApiError) else str(error)
    if isinstance(error, Unreachable):
        return (
            f"the cluster of the kubeconfig does not answer: {said}. If it is starting, wait a "
            "moment and try again; the local one: haikube local status"
        )
    return (
        f"no token from the kubeconfig: {said}. "
        "Name another one with: haikube login --kubeconfig FILE"
    )
