"""``haikube runtimes``: what languages can be had in, and making one more from its source.

A runtime is made once for a stack, by a Job of the platform; the Stack names what there is, and
every build on it may fetch it. An administrator of the cluster makes them.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping
from typing import Any, TypeVar

import click

from haikube.cli.administrator import ask_cluster, kubeconfig_option
from haikube.cli.making import MADE_FROM_SOURCE, NotMade, Wanted, make
from haikube.cluster.errors import NotFound
from haikube.local.paths import data_root
from haikube.model.resources import STACKS

T = TypeVar("T")

_UPSTREAM = {
    "go": "the module proxy of Go",
    "java": "Eclipse Temurin",
    "nodejs": "the npm registry",
    "python": "python-build-standalone, by uv",
}
"""What has the lines that neither packages nor the platform have."""

_MADE = "Runtimes"
_stack = click.option("--stack", default="debian-13", show_default=True)


@click.group()
def runtimes() -> None:
    """List the releases of languages, and make one from its source."""


@runtimes.command("list")
@_stack
@kubeconfig_option
def list_runtimes(stack: str, kubeconfig: str) -> None:
    """Print the lines of each language and where they come from, then what was made here."""
    for line in table(known()):
        click.echo(line)
    found = ask_cluster(
        kubeconfig, lambda cluster: _of_stack(stack, cluster.get(STACKS, stack)), made=_MADE
    )
    for each in found["spec"].get("runtimes") or ():
        click.echo(f"{each['language']:<8}{each['version']:<9}made from source for {stack}")


@runtimes.command()
@click.argument("language", type=click.Choice(MADE_FROM_SOURCE))
@click.argument("version")
@click.option("--mirror", default="", metavar="URL", help="Where its makers' releases lie.")
@_stack
@kubeconfig_option
def add(language: str, version: str, mirror: str, stack: str, kubeconfig: str) -> None:
    """Make VERSION of LANGUAGE from its source, once, for all apps on a stack; takes minutes."""
    wanted = Wanted(language, version, stack, mirror)
    made = ask_cluster(
        kubeconfig, lambda cluster: _of_stack(stack, make(cluster, wanted, _show)), made=_MADE
    )
    click.echo(f"{language} {version} is there for every build on {stack} ({made['digest'][:19]}).")


def known() -> Mapping[str, Any]:
    """Return the table of lines that the buildpacks read."""
    path = data_root() / "buildpacks" / "lib" / "runtimes.json"
    lines: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return lines


def table(lines: Mapping[str, Any]) -> list[str]:
    """Return a text line for each line of each language."""
    return [
        f"{language:<8}{each['line']:<9}{origin(language, each):<48}mended until {each['until']}"
        for language, entries in lines.items()
        for each in entries
    ]


def origin(language: str, entry: Mapping[str, Any]) -> str:
    """Return where a line comes from when nobody says."""
    if "suite" in entry:
        return f"the distribution, suite {entry['suite']}"
    return "its source: haikube runtimes add" if entry.get("made") else _UPSTREAM[language]


def _show(text: str) -> None:
    click.echo(text, nl=False, err=True)


async def _of_stack(stack: str, answer: Awaitable[T]) -> T:
    try:
        return await answer
    except NotFound as error:
        raise click.ClickException(
            f"{error.message}. Is {stack} a stack of the platform?"
        ) from error
    except NotMade as error:
        raise click.ClickException(str(error)) from error
