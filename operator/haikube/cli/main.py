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
    "runtimes": "haikube.cli.runtimes:runtimes",
    "team": "haikube.cli.team:team",
    "local": "haikube.local.commands:local",
    "sample": "haikube.cli.sample:sample",
    "git-credential": "haikube.cli.credential:git_credential",
}
"""Where each command is defined."""


HEROKUS = frozenset(
    {
        *("access", "addons", "apps", "authorizations", "auth", "certs", "ci", "clients", "config"),
        *("console", "domains", "drains", "dyno", "features", "git", "info", "keys", "labs"),
        *("lock", "logs", "maintenance", "members", "notifications", "pg", "pipelines", "ps"),
        *("rake", "redis", "regions", "rename", "reviewapps", "restart", "rollback", "run"),
        *("scale", "sessions", "spaces", "stack", "status", "stop", "telemetry", "unlock"),
        "webhooks",
    }
)
"""What people type here out of habit, and the stock Heroku CLI does."""


class Commands(click.Group):
    """The commands of ``COMMANDS``."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find a command; who types one of Heroku's is told where it is."""
        if args[0].partition(":")[0] in HEROKUS:
            ctx.fail(
                f"{args[0]!r} is a command of the Heroku CLI: heroku {args[0]}. "
                f"Without its variables in the shell: haikube heroku {args[0]}"
            )
        return super().resolve_command(ctx, args)

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
