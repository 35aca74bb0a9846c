"""Which login a command is about; ends the command with the remedy when there is none."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from haikube.bridge.profile import (
    Login,
    LoginError,
    current_profile,
    load,
    now,
    require_name,
)

F = TypeVar("F", bound=Callable[..., Any])


def profile_option(command: F) -> F:
    """Give a command the option ``--profile``."""
    return click.option(
        "--profile",
        callback=_chosen,
        metavar="NAME",
        help="Which of several platforms; default: $HAIKUBE_PROFILE, else default.",
    )(command)


def _chosen(context: click.Context, option: click.Parameter, value: str | None) -> str:
    del context, option
    try:
        return require_name(value) if value else current_profile()
    except LoginError as error:
        raise click.ClickException(str(error)) from error


def local_api() -> str:
    """Return the URL of the local cluster's api."""
    return f"http://api.localhost:{os.environ.get('HAIKUBE_LOCAL_HTTP_PORT', '8080')}"


def saved(profile: str) -> Login:
    """Return the login of a profile."""
    try:
        return load(profile)
    except LoginError as error:
        raise click.ClickException(str(error)) from error


def current_login() -> Login:
    """Return the login of this shell's profile, with a new token when the old one has expired."""
    try:
        profile = current_profile()
    except LoginError as error:
        raise click.ClickException(str(error)) from error
    login = saved(profile)
    if not login.kubeconfig or (login.expires_at and not login.expired(now())):
        return login
    return renewed(profile, login)


def renewed(profile: str, login: Login) -> Login:
    """Obtain a token, save it and return the login that holds it."""
    import asyncio  # noqa: PLC0415 - git asks for a password in each push, and seldom comes here

    from haikube.bridge.tokens import Tokens, words  # noqa: PLC0415 - costs most of a second
    from haikube.cluster.errors import ApiError  # noqa: PLC0415 - the same

    try:
        return asyncio.run(Tokens(profile).renew(login))
    except (ApiError, OSError) as error:
        raise click.ClickException(words(error)) from error
