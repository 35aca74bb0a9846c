"""The ``haikube`` command line: every sub-command is a noun's own module.

A command is imported when it is called: git starts ``haikube git-credential`` twice in each push
and should not wait for what the other commands need.
"""

from __future__ import annotations

from importlib import import_module

import click

from haikube import __version__

COMMANDS = {
    "login": "haikube.cli.session:login",
    "logout": "haikube.cli.session:logout",
    "whoami": "haikube.cli.session:whoami",
    "env": "haikube.cli.environment:env",
    "heroku": "haikube.cli.environment:heroku",
    "connect": "haikube.cli.connect:connect",
    "doctor": "haikube.cli.doctor:doctor",
    "create": "haikube.cli.apps:create",
    "destroy": "haikube.cli.apps:destroy",
    "open": "haikube.cli.apps:open_app",
    "path": "haikube.cli.path:path",
    "deploy": "haikube.cli.builds:deploy",
    "releases": "haikube.cli.releases:releases",
    "builds": "haikube.cli.builds:builds",
    "buildpacks": "haikube.cli.buildpacks:buildpacks",
    "team": "haikube.cli.team:team",
    "local": "haikube.local.commands:local",
    "sample": "haikube.cli.sample:sample",
    "git-credential": "haikube.cli.credential:git_credential",
}
"""Where each command is defined."""


class Commands(click.Group):
    """The commands of ``COMMANDS``."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of ``COMMANDS``."""
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the one command that is asked for."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command = getattr(import_module(module), name)
        assert isinstance(command, click.Command)  # noqa: S101 - a table of ours
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="haikube")
def main() -> None:
    """Heroku on your own Kubernetes."""
