"""Credentials from a kubeconfig or from inside a pod.

The only module that imports ``kubernetes``: its loaders know kubeconfig files, exec plugins and
service accounts. Nothing of it is used after loading, except its hook that renews a token. Import
it through ``identity.load``: it takes a second, and not every process needs it.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import time
from pathlib import Path

from kubernetes import config
from kubernetes.client import Configuration

from haikube.cluster.credentials import Credentials, Token, static_token
from haikube.cluster.errors import Unauthorized

TOKEN_SECONDS = 30.0
"""How long a token is used before it is asked for again; tokens live ten minutes and more."""

_BEARER = "bearer "


def load(kubeconfig: str | Path | None = None, context: str | None = None) -> Credentials:
    """Return the credentials of ``kubeconfig``, else of $KUBECONFIG, else of this pod."""
    loaded = Configuration()
    if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ and not _has_kubeconfig():
        config.load_incluster_config(loaded)  # type: ignore[no-untyped-call]  # it has no annotations
    else:
        file = None if kubeconfig is None else str(kubeconfig)
        config.load_kube_config(  # type: ignore[no-untyped-call]  # it has no annotations
            file, context, loaded, persist_config=False
        )
    return _credentials(loaded)


def _has_kubeconfig() -> bool:
    return "KUBECONFIG" in os.environ


def _credentials(loaded: Configuration) -> Credentials:
    server = loaded.host.rstrip("/")
    if not server.startswith("https:"):
        return Credentials(server, _token(loaded))
    bare = tls = _tls(loaded)
    if loaded.cert_file:
        tls = _tls(loaded)
        tls.load_cert_chain(loaded.cert_file, loaded.key_file)
    hostname = loaded.tls_server_name or None
    return Credentials(server, _token(loaded), tls, bare, hostname)


def _tls(loaded: Configuration) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=loaded.ssl_ca_cert or None)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # as kubectl: cluster CAs predate the rule
    if not loaded.verify_ssl:  # the kubeconfig says insecure-skip-tls-verify
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _token(loaded: Configuration) -> Token:
    """Return a token that its hook renews: a file read again, an exec plugin run again.

    A hook may block, so it runs in a thread, and at most once in ``TOKEN_SECONDS``.
    """
    if not (loaded.api_key or loaded.refresh_api_key_hook):
        return static_token("")
    kept: tuple[float, str] | None = None

    def read() -> str:
        try:
            value = loaded.get_api_key_with_prefix("BearerToken", alias="authorization") or ""
        except (config.ConfigException, OSError) as error:
            raise Unauthorized(401, "Unauthorized", f"our token cannot be read: {error}") from error
        return value[len(_BEARER) :] if value.lower().startswith(_BEARER) else value

    async def token() -> str:
        nonlocal kept
        now = time.monotonic()
        if kept is None or now - kept[0] >= TOKEN_SECONDS:
            kept = (now, (await asyncio.to_thread(read)).strip())
        return kept[1]

    return token
