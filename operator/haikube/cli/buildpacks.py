"""``haikube buildpacks``: for people who write buildpacks; works without a cluster."""

from __future__ import annotations

import json
import tarfile
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from haikube.build.harness.dyno import BootError, booted
from haikube.build.harness.objects import serving
from haikube.build.harness.rehearsal import Rehearsed, Stage, build
from haikube.build.harness.rootfs import unpacked
from haikube.local import tools
from haikube.local.images import STACK, ImageSources

folder = click.Path(exists=True, file_okay=False, path_type=Path)


@click.group()
def buildpacks() -> None:
    """Write and test buildpacks."""


@buildpacks.command("test")
@click.argument("buildpack", required=False)
@click.option("--app", required=True, type=folder, help="Folder of the app to build.")
@click.option("--boot/--no-boot", default=True, help="Start the web process and ask it for /.")
@click.option("--path", default="/", help="What to ask the web process for.")
@click.option("--config", "-c", multiple=True, metavar="NAME=VALUE", help="A config var.")
@click.option(
    "--workspace",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keeps cache and slug for a next run; default: a temporary folder.",
)
def run_test(
    buildpack: str | None,
    app: Path,
    *,
    boot: bool,
    path: str,
    config: tuple[str, ...],
    workspace: Path | None,
) -> None:
    """Build an app with BUILDPACK (a folder, a name or a URL; default: detect) and boot it.

    The build runs on the stack's build image and the dyno on its run image, as in a cluster: the
    same engine, the same process 1, the same user, a read-only root. Needs root, or user
    namespaces for everybody.
    """
    variables = dict(_variable(item) for item in config)
    with _workspace(workspace) as kept, stage_in(kept) as stage:
        chosen = _chosen(stage, buildpack)
        outcome = build(stage, app.absolute(), config=variables, buildpacks=chosen)
        if not outcome.succeeded:
            raise click.ClickException(_failure(outcome))
        click.echo(json.dumps(dict(outcome.result), indent=2), err=True)
        if boot:
            _boot(stage, outcome, path, variables)


@contextmanager
def stage_in(workspace: Path) -> Iterator[Stage]:
    """Yield the stage of this checkout's stack images; they are made when there are none."""
    images = ImageSources.default()
    paths, data, options = images.paths, images.data, images.options
    cache = paths.cache / "rootfs"
    with serving(workspace / "objects") as objects:
        yield Stage(
            stack=STACK,
            build_rootfs=unpacked(images.rootfs("run", "build").path, cache),
            run_rootfs=unpacked(images.rootfs("run").path, cache),
            process_one=tools.dyno(paths, data / "buildpacks" / "launcher" / "dyno"),
            buildpacks=data / "buildpacks",
            workspace=workspace,
            objects=objects,
            platform_env=_platform_env(options.build_env),
            ca_bundle=options.ca_bundle if options.ca_bundle.is_file() else None,
        )


def _platform_env(text: str) -> Mapping[str, str]:
    values = json.loads(text) if text else {}
    return {str(name): str(value) for name, value in values.items()}


@contextmanager
def _workspace(chosen: Path | None) -> Iterator[Path]:
    if chosen is not None:
        yield chosen.absolute()
        return
    with tempfile.TemporaryDirectory() as scratch:
        yield Path(scratch)


def _variable(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise click.BadParameter(f"{text!r} is not NAME=VALUE", param_hint="--config")
    return name, value


def _chosen(stage: Stage, buildpack: str | None) -> Sequence[Mapping[str, str]]:
    """A folder is handed to the engine as any third party's buildpack is: as an archive."""
    if buildpack is None:
        return []
    path = Path(buildpack)
    if not path.is_dir():
        return [{"url": buildpack} if "://" in buildpack else {"name": buildpack}]
    name = f"{path.absolute().name}.tgz"
    with tarfile.open(stage.objects.folder / name, "w:gz") as tar:
        tar.add(path, arcname=".")
    return [{"url": stage.objects.url(name)}]


def _failure(outcome: Rehearsed) -> str:
    reason = outcome.result.get("reason", "EngineFailed")
    message = outcome.result.get("message", f"the engine exited with {outcome.exit_code}")
    return f"{reason}: {message}"


def _boot(stage: Stage, outcome: Rehearsed, path: str, config: Mapping[str, str]) -> None:
    types = {item["name"]: item["command"] for item in outcome.result["processTypes"]}
    if "web" not in types:
        click.echo("There is no web process to boot.", err=True)
        return
    try:
        with booted(stage, outcome.result, types["web"], config=config) as dyno:
            answer = dyno.get(path)
            click.echo(f"GET {path}: {answer.status}, {len(answer.body)} bytes", err=True)
            click.echo(f"SIGTERM: exit code {dyno.stop()}", err=True)
    except BootError as error:
        raise click.ClickException(str(error)) from error
