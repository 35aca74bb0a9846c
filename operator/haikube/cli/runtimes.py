"""``haikube runtimes``: what languages can be had in, making one more from its source, or one less.

A runtime is made once for a stack, by a Job of the platform; the Stack names what there is, and
every build on it may fetch it. An administrator of the cluster makes them, and takes them away.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, TypeVar

import click

from haikube.cli.administrator import ask_cluster, kubeconfig_option
from haikube.cli.made import NotMade, built_with, entries, rewrite, without
from haikube.cli.making import MADE_FROM_SOURCE, Wanted, make
from haikube.cluster.errors import NotFound
from haikube.cluster.port import Cluster
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
_NAMED = 10
"""Apps that are named before a runtime is taken from them; how many more there are is said."""

_language = click.argument("language", type=click.Choice(MADE_FROM_SOURCE))
_stack = click.option("--stack", default="debian-13", show_default=True)


@click.group()
def runtimes() -> None:
    """List the releases of languages, make one from its source, or remove one."""


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
    for each in entries(found):
        click.echo(f"{each['language']:<8}{each['version']:<9}made from source for {stack}")


@runtimes.command()
@_language
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


@runtimes.command()
@_language
@click.argument("version")
@click.option("--confirm", metavar="VERSION", help="The version, to skip the question.")
@_stack
@kubeconfig_option
def remove(language: str, version: str, confirm: str | None, stack: str, kubeconfig: str) -> None:
    """Take VERSION of LANGUAGE, made from its source, from the builds on a stack.

    What runs keeps it: a slug has its runtime inside. The archive is swept after its days of grace.
    """

    async def look(cluster: Cluster) -> list[str]:
        without(entries(await cluster.get(STACKS, stack)), language, version, stack)
        return await built_with(cluster, stack, language)

    def take(cluster: Cluster) -> Awaitable[None]:
        return rewrite(cluster, stack, lambda made: without(made, language, version, stack))

    apps = ask_cluster(kubeconfig, lambda cluster: _of_stack(stack, look(cluster)), made=_MADE)
    click.echo(warning(language, version, stack, apps), err=True)
    typed = confirm or click.prompt(f"Type {version} to go on")
    if typed != version:
        raise click.ClickException(f"{typed!r} is not {version!r}: nothing was removed.")
    ask_cluster(kubeconfig, lambda cluster: _of_stack(stack, take(cluster)), made=_MADE)
    click.echo(f"{language} {version} is no longer there for builds on {stack}.")


def warning(language: str, version: str, stack: str, apps: Sequence[str]) -> str:
    """Return what a removal means, and for whom: what an app asks for stands in its code alone."""
    means = (
        f"This takes {language} {version} from every build on {stack}; what runs keeps it. "
        "At its next build an app that asks for it gets another release of its line, or is refused "
        f"where there is none, until it is made again: haikube runtimes add {language} {version}"
    )
    if not apps:
        return f"{means}\nThe newest build of no app on {stack} ran {language}."
    more = f" and {len(apps) - _NAMED} more" if len(apps) > _NAMED else ""
    return f"{means}\nApps on {stack} built with {language}: {', '.join(apps[:_NAMED])}{more}."


def known() -> Mapping[str, Any]:
    """Return what the buildpacks read of each language: its lines and its default."""
    path = data_root() / "buildpacks" / "lib" / "runtimes.json"
    languages: Mapping[str, Any] = json.loads(path.read_text("utf-8"))
    return languages


def table(languages: Mapping[str, Any]) -> list[str]:
    """Return a text line for each line of each language."""
    return [
        f"{language:<8}{each['line']:<9}{origin(language, each):<48}mended until {each['until']}"
        for language, facts in languages.items()
        for each in facts["lines"]
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
