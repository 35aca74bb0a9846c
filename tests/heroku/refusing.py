"""The platform in this process, and the real CLI beside it: for what no shared cluster can show."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from heroku.person import CLIENTS
from heroku.steps import Printed
from world import TOKEN, World, running


@dataclass
class Terminal:
    """A terminal whose CLI speaks straight to the platform, with a token in its environment."""

    world: World
    home: Path

    async def heroku(self, *words: str, token: str = TOKEN, stdin: str = "") -> Printed:
        """Type a command of the stock CLI."""
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith("HEROKU_") and name not in {"SSL_CERT_FILE", "SSL_CERT_DIR"}
        }
        environment |= {
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / ".cache"),
            "XDG_DATA_HOME": str(self.home / ".data"),
            "GIT_CONFIG_GLOBAL": str(self.home / ".gitconfig"),
            "PATH": f"{CLIENTS / '.bin'}:{os.environ['PATH']}",
            "HEROKU_HOST": self.world.url,
            "HEROKU_PARTICLEBOARD_URL": self.world.url,
            "HEROKU_API_KEY": token,
            "HEROKU_SKIP_NEW_VERSION_CHECK": "true",
            "DISABLE_TELEMETRY": "true",
            "COLUMNS": "200",
        }
        process = await asyncio.create_subprocess_exec(
            "heroku",
            *words,
            cwd=self.home,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate(stdin.encode())
        return Printed(process.returncode or 0, out.decode(), err.decode())


@asynccontextmanager
async def terminal(home: Path) -> AsyncIterator[Terminal]:
    """Run the platform, and prepare a home for its CLI."""
    terms = home / ".cache" / "heroku" / "terms-of-service"
    terms.parent.mkdir(parents=True)
    terms.touch()
    async with running(ledger=True) as world:
        yield Terminal(world, home)
