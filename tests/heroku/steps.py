"""One line of the table of scenarios: what is typed, what is printed, how it ends."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_FRAME = re.compile(r"^ \u203a\s*", re.MULTILINE)
_GAP = re.compile(r"\s+")


@dataclass(frozen=True)
class Step:
    """What a person types after ``heroku``, and what they then see.

    ``{name}`` stands for a name that the run chooses. In what is expected, ``...`` stands for any
    text and a gap for any white space, since the CLI wraps lines as it likes.
    """

    types: str
    out: tuple[str, ...] = ()
    """On standard output, each of these."""
    err: tuple[str, ...] = ()
    """On standard error: progress and refusals."""
    code: int = 0
    stdin: str = ""
    never: tuple[str, ...] = ()
    """On neither."""
    differs: str = ""
    """How it differs from Heroku, for the page."""
    later: str = ""
    """What is still to come, for the page: the step shows how it is refused until then."""
    patience: float = 0
    """Seconds in which it has to come true: what a command started may take a moment."""
    words: tuple[str, ...] = ()
    """Further arguments that hold spaces."""
    env: Mapping[str, str] | None = None
    keeps: tuple[tuple[str, str], ...] = ()
    """Names for later steps, each with the expression whose group holds it in the output."""

    @property
    def needs(self) -> set[str]:
        """Return the names that are typed."""
        return set(re.findall(r"{(\w+)}", self.types))

    @property
    def command(self) -> str:
        """Return the command's name as the CLI's help spells it."""
        return self.types.split()[0]


@dataclass(frozen=True)
class Printed:
    """How a command ended."""

    code: int
    out: str
    err: str

    def kept(self, step: Step) -> dict[str, str]:
        """Return the names that a step keeps of what was printed."""
        found = {name: re.search(pattern, self.out) for name, pattern in step.keeps}
        return {name: match[1] for name, match in found.items() if match}

    def faults(self, step: Step, names: Mapping[str, str]) -> list[str]:
        """Return in words what is not as expected."""
        said = [("standard output", self.out, step.out), ("standard error", self.err, step.err)]
        found = [
            f"{where} lacks {text.format_map(names)!r}"
            for where, printed, wanted in said
            for text in wanted
            if not holds(printed, text.format_map(names))
        ]
        found += [f"it says {text!r}" for text in step.never if holds(self.out + self.err, text)]
        if self.code != step.code:
            found.append(f"it ends with {self.code}, not {step.code}")
        return found


def holds(printed: str, wanted: str) -> bool:
    """Tell whether a text is printed, whatever its line breaks."""
    plain = _GAP.sub(" ", _FRAME.sub(" ", printed))
    pattern = ".*?".join(re.escape(_GAP.sub(" ", part)) for part in wanted.split("..."))
    return re.search(pattern, plain) is not None
