"""The stock Heroku CLI, command by command: what it prints and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from heroku.person import Ada
from heroku.table import ROOMS


@pytest.mark.parametrize("room", ROOMS)
def test_every_command_of(ada: Ada, checkout: Path, room: str) -> None:
    faults = [fault for step in ROOMS[room] if (fault := ada.play(step, checkout))]
    assert not faults, f"{len(faults)} of {len(ROOMS[room])}\n\n" + "\n".join(faults)
