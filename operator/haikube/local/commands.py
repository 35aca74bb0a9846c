"""``haikube local``: the local cluster on the command line."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from haikube.local import tools
from haikube.local.command import LocalError
from haikube.local.figures import platform_figures
from haikube.local.images import ImageSources
from haikube.local.kind import KindProvider, docker_runs_nodes
from haikube.local.kubectl import Kubectl
from haikube.local.native import NativeProvider
from haikube.local.paths import Paths
from haikube.local.provider import Provider, choose_provider
from haikube.local.steps import run_steps
from haikube.local.up import Upping, up_steps


@click.group()
def local() -> None:
    """Run the whole platform on this machine."""


@local.command()
@click.option("--bare", is_flag=True, help="Only the node and the images, not the platform.")
def up(*, bare: bool) -> None:
    """Start the local cluster, or bring a running one up to date."""
    with _told(), _exclusive():
        sources = ImageSources.default()
        provider = _provider(sources)
        seconds = run_steps(up_steps(Upping(provider, sources), bare=bare), click.echo)
        (sources.paths.state / "provider").write_text(provider.name)
        click.echo(f"\nThe local cluster ({provider.name}) is up after {seconds:.0f} s.")
        click.echo(f"  export KUBECONFIG={sources.paths.kubeconfig}")
        if not bare:
            click.echo(f"  haikube login http://api.localhost:{sources.options.http_port}")


@local.command()
def down() -> None:
    """Remove the local cluster from this machine; caches stay."""
    with _told(), _exclusive():
        sources = ImageSources.default()
        left = _provider(sources).stop()
        if left:
            raise LocalError(f"could not remove {', '.join(left)}; reboot to be rid of it")
        shutil.rmtree(sources.paths.state, ignore_errors=True)
        click.echo("The local cluster is gone. Caches stay in " + str(sources.paths.cache))


@local.command()
def status() -> None:
    """Show whether the cluster runs, where its parts are and what they take."""
    with _told():
        sources = ImageSources.default()
        provider = _provider(sources)
        facts = {"provider": provider.name, **provider.status()}
        facts["kubeconfig"] = str(sources.paths.kubeconfig)
        for name, value in (*facts.items(), *_figures(sources)):
            click.echo(f"{name + ':':<22} {value}")


@local.command()
def kubeconfig() -> None:
    """Print the path of the cluster's kubeconfig."""
    path = Paths.default().kubeconfig
    if not path.exists():
        raise click.ClickException(f"there is no {path}; start the cluster with: haikube local up")
    click.echo(path)


@local.command()
@click.argument("image", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def load(image: Path) -> None:
    """Bring the images of the archive IMAGE (docker save, OCI layout) into the node."""
    with _told(), _exclusive():
        click.echo(_provider(ImageSources.default()).load(image).strip())


def _figures(sources: ImageSources) -> list[tuple[str, str]]:
    """Return memory and CPU of the platform's pods, nothing while there is no cluster."""
    paths = sources.paths
    if not paths.kubeconfig.exists():
        return []
    kubectl = Kubectl(tools.wheel_program(paths, "kubectl"), paths.kubeconfig)
    try:
        return list(platform_figures(kubectl))
    except LocalError:
        return []


def _provider(sources: ImageSources) -> Provider:
    noted = sources.paths.state / "provider"
    name = choose_provider(
        sources.options.provider,
        noted.read_text() if noted.exists() else "",
        lambda: docker_runs_nodes(sources),
    )
    if name == "kind":
        return KindProvider(sources, sources.data / "kind-config.yaml")
    return NativeProvider(sources)


@contextmanager
def _told() -> Iterator[None]:
    """Turn an error a user can act on into the command's last words."""
    try:
        yield
    except LocalError as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _exclusive() -> Iterator[None]:
    """Let one run at a time change the cluster; a second one waits for the first."""
    path = Paths.default().lock
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
