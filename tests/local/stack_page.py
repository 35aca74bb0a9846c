"""The page docs/stack.md, made from the stack's list of Heroku's packages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from haikube.local.paths import data_root
from haikube.local.rootfs import read_packages

STACK = data_root() / "buildpacks" / "stacks" / "debian-13"
PAGE = Path(__file__).parents[2] / "docs" / "stack.md"
_BEGIN = "<!-- from heroku.tsv -->"


@dataclass(frozen=True, slots=True)
class Package:
    """One package that Heroku asks for, and what stands for it here."""

    image: str
    theirs: str
    here: str
    ours: str
    why: str


def heroku_packages() -> list[Package]:
    """Return the rows of heroku.tsv."""
    lines = (STACK / "heroku.tsv").read_text().splitlines()
    rows = (line.split("\t") for line in lines if not line.startswith("#"))
    return [Package(*row, *[""] * (5 - len(row))) for row in rows]


def packages(name: str) -> set[str]:
    """Return the packages of a list, e.g. ``run``."""
    return set(read_packages((STACK / f"{name}.packages").read_text()))


def page(written: str) -> str:
    """Return the page: what people wrote, with the tables made anew."""
    head, begin, _ = written.partition(_BEGIN)
    return head + begin + "\n\n" + "\n".join(_tables(heroku_packages()))


def _tables(rows: Sequence[Package]) -> Iterator[str]:
    for image in ("run", "build"):
        mine = [row for row in rows if row.image == image]
        yield f"### In the {image} image\n"
        yield from _same(mine)
        yield "| Heroku's package | here | |\n|---|---|---|"
        yield from _others([row for row in mine if not _is_same(row)])
        yield ""
    yield "### Ours beside Heroku's\n"
    yield from (f"{image}: {_names(_more(rows, image))}\n" for image in ("run", "build"))


def _same(rows: Sequence[Package]) -> Iterator[str]:
    same = [row.ours for row in rows if _is_same(row)]
    yield f"{len(same)} of {len(rows)} by the same name: {_names(same)}\n"


def _is_same(row: Package) -> bool:
    return row.here == "yes" and row.ours == row.theirs and not row.why


def _others(rows: Sequence[Package]) -> Iterator[str]:
    for (here, ours, why), group in _by_answer(rows).items():
        answer = {"yes": f"`{ours}`", "Aptfile": f"Aptfile: `{ours}`", "no": "no"}[here]
        yield f"| {_names([row.theirs for row in group])} | {answer} | {why} |"


def _by_answer(rows: Sequence[Package]) -> dict[tuple[str, str, str], list[Package]]:
    groups: dict[tuple[str, str, str], list[Package]] = {}
    for row in rows:
        groups.setdefault((row.here, row.ours, row.why), []).append(row)
    return groups


def _more(rows: Sequence[Package], image: str) -> list[str]:
    return sorted(packages(image) - {row.ours for row in rows})


def _names(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
