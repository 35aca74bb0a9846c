"""The first block of the README, typed word for word by somebody who has a cluster."""

from __future__ import annotations

from pathlib import Path

from heroku.person import Ada
from terminal import GATEWAY

README = Path(__file__).parents[2] / "README.md"
_FIRST = "$ make up "


def test_the_first_block_works_word_for_word(ada: Ada) -> None:
    app, folder = f"readme-{ada.names['suffix']}", ada.home / "readme"
    ada.must("git", "clone", "-q", str(ada.home / ada.names["app"]), str(folder))
    script = "\n".join(["set -euo pipefail", *_lines()])
    script = script.replace("create hello", f"create {app}")
    script = script.replace("www.example.com", f"www.{app}.example.com")
    try:
        said = ada.run(
            "bash", "-c", script, cwd=folder, env={"HAIKUBE_LOCAL_HTTP_PORT": str(GATEWAY[1])}
        )
        assert said.code == 0, said.out + said.err
    finally:
        ada.run("heroku", "apps:destroy", "-a", app, "--confirm", app)
    assert "=== web (Basic): npm start (3)" in said.out
    assert "=== queue (Basic): node queue.js (2)" in said.out
    for told in ("Released v2", "done, now running", "A and restarting", "to v2... done, v"):
        assert told in said.err, said.err
    assert f"Enabling maintenance mode for {app}... done" in said.err


def _lines() -> list[str]:
    """Return what is typed; the cluster is there already."""
    block = README.read_text().partition("```console\n")[2].partition("```")[0]
    typed = [line.removeprefix("$ ") for line in block.splitlines()]
    assert block.startswith(_FIRST)
    return typed[1:]
