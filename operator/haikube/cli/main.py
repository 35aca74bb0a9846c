"""The ``haikube`` command line: every sub-command is a noun's own module."""

from __future__ import annotations

import click

from haikube import __version__
from haikube.cli.apps import create, destroy, open_app
from haikube.cli.buildpacks import buildpacks
from haikube.cli.builds import builds, deploy
from haikube.cli.credential import git_credential
from haikube.cli.sample import sample
from haikube.cli.session import login, logout, whoami
from haikube.local.commands import local


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="haikube")
def main() -> None:
    """Heroku on your own Kubernetes."""


for command in (
    login,
    logout,
    whoami,
    create,
    destroy,
    open_app,
    deploy,
    builds,
    buildpacks,
    local,
    sample,
    git_credential,
):
    main.add_command(command)
