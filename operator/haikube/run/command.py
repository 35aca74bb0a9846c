"""What is asked to be run: the command line, and whether its exit code is to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MARK: Final = "\uffff heroku-command-exit-status: "
"""What the Heroku command line looks for in the output of ``run -x``."""

_TELL: Final = f' ; echo "{MARK}$?"'
_TELL_ESCAPED: Final = _TELL.replace("\uffff", "\\uFFFF")


@dataclass(frozen=True, slots=True)
class Command:
    """A command line; ``told`` asks for its exit code as the last line of the output."""

    line: str
    told: bool


def parse_command(text: str) -> Command:
    r"""Return the command without the words that would print its exit code.

    ``run -x 'exit 3'`` sends ``exit 3 ; echo ...``: in one shell the echo would never be reached.

    >>> parse_command('exit 3 ; echo "\uffff heroku-command-exit-status: $?"')
    Command(line='exit 3', told=True)
    >>> parse_command("ls ; echo $?")
    Command(line='ls ; echo $?', told=False)
    """
    for tell in (_TELL, _TELL_ESCAPED):
        if text.endswith(tell):
            return Command(text.removesuffix(tell), told=True)
    return Command(text, told=False)


def exit_line(code: int) -> bytes:
    """Return the line that tells the Heroku command line an exit code."""
    return f"{MARK}{code}\n".encode()
