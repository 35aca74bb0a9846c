"""The page docs/heroku-cli.md, made from the scenarios: what works, what differs, what comes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from heroku.steps import Step

PAGE = Path(__file__).parents[2] / "docs" / "heroku-cli.md"

_TITLES: Mapping[str, str] = {
    "auth": "Who one is",
    "authorizations": "Tokens for machines",
    "keys": "SSH keys",
    "apps": "Apps",
    "locks": "Locking and handing over",
    "teams": "Teams",
    "access": "Access",
    "git": "Git",
    "ps": "Dynos",
    "config": "Config vars",
    "releases": "Releases",
    "maintenance": "Maintenance",
    "domains": "Domains",
    "certs": "Certificates",
    "buildpacks": "Buildpacks",
    "features": "Features",
    "webhooks": "Webhooks",
    "logs": "Logs",
    "run": "One-off dynos",
    "drains": "Log drains",
    "later": "Still to come",
}

_HEAD = """# The Heroku CLI on Haikube

The stock CLI, npm package `heroku` {version}, unmodified. `make test-heroku` types each command of
this table on a local cluster, with its refusals; the page is made from those scenarios, and a test
keeps it true.

```console
$ npm install --global heroku
$ haikube login https://api.apps.example.com     # without a URL: the local cluster
$ eval "$(haikube env)"                          # once, in your shell's profile
$ heroku create hello && git push heroku main
```

(fish: `haikube env | source`)

`haikube login` starts a small process on your machine, the bridge, which listens on loopback alone:
the CLI sends credentials to nobody else. It holds your real token and renews it; the CLI and git
hold a random key that is of use on this machine only. `haikube heroku ARGS` runs one command
without the variables in your shell, `haikube doctor` says what is wrong, and `haikube logout`
undoes everything. Two platforms side by side: `haikube login URL --profile work`, then
`eval "$(haikube env --profile work)"`.

Client libraries speak to the bridge, too, or straight to the api with a token; `heroku3` (Python)
and `heroku-client` (Node.js) are part of the tests. How `heroku run` reaches a dyno is in
[spec/attach.md](spec/attach.md).

{commands} commands, {steps} scenarios.
"""


def page(rooms: Mapping[str, Sequence[Step]], version: str) -> str:
    """Return the page."""
    commands = {step.command for steps in rooms.values() for step in steps}
    head = _HEAD.format(
        version=version, commands=len(commands), steps=sum(map(len, rooms.values()))
    )
    return head + "".join(_section(_TITLES[name], steps) for name, steps in rooms.items())


def _section(title: str, steps: Sequence[Step]) -> str:
    rows = "\n".join(_rows(steps))
    return f"\n## {title}\n\n| command | here | scenarios |\n|---|---|---|\n{rows}\n"


def _rows(steps: Sequence[Step]) -> Iterator[str]:
    for command in dict.fromkeys(step.command for step in steps):
        mine = [step for step in steps if step.command == command]
        yield f"| `{command}` | {_verdict(mine)} | {_counted(mine)} |"


def _verdict(steps: Sequence[Step]) -> str:
    if later := _joined(step.later for step in steps):
        return f"later: {later}"
    if differs := _joined(step.differs for step in steps):
        return f"differs: {differs}"
    return "works"


def _joined(texts: Iterator[str]) -> str:
    return "; ".join(dict.fromkeys(text for text in texts if text))


def _counted(steps: Sequence[Step]) -> str:
    refusals = sum(step.code != 0 for step in steps)
    return f"{len(steps)}, {refusals} of them refused" if refusals else str(len(steps))
