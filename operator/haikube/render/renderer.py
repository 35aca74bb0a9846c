"""Render templates into objects, once per distinct input.

What a template says by itself is read as YAML once; the values that went through ``tojson`` are put
into what came of it, so no value can change the structure around it. A rendered object is shared
by everyone who asks for the same input: nobody may change it.
"""

from __future__ import annotations

import hashlib
import re
from collections import OrderedDict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
import yaml

from haikube.model.digest import canonical

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".yaml.j2"
_REMEMBERED = 2048
_SKELETONS = 256
"""A template has as many as its conditions allow."""

_OPEN, _CLOSE = "\ue000", "\ue001"
_PLACE = re.compile(f"{_OPEN}(\\d+){_CLOSE}")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Slots:
    """The values of one rendering; each leaves a mark in the text where it belongs."""

    def __init__(self) -> None:
        self._values: list[Any] = []

    def clear(self) -> None:
        """Begin another rendering."""
        self._values = []

    def mark(self, value: object, **_: object) -> str:
        """Keep a value, and return the mark of its place."""
        if isinstance(value, jinja2.Undefined):
            str(value)  # raises, naming the variable
        self._values.append(value)
        return f"{_OPEN}{len(self._values) - 1}{_CLOSE}"

    def filled(self, skeleton: Any) -> Any:  # noqa: ANN401 - any YAML
        """Return a skeleton with each value in its place."""
        if isinstance(skeleton, dict):
            return {self._key(key): self.filled(each) for key, each in skeleton.items()}
        if isinstance(skeleton, list):
            return [self.filled(each) for each in skeleton]
        if not isinstance(skeleton, str) or _OPEN not in skeleton:
            return skeleton
        found = _PLACE.fullmatch(skeleton)
        return plain(self._values[int(found[1])]) if found else self._key(skeleton)

    def _key(self, text: Any) -> Any:  # noqa: ANN401 - keys of YAML may be numbers
        """Return a key, or a text with values somewhere in it."""
        if not isinstance(text, str) or _OPEN not in text:
            return text
        return _PLACE.sub(lambda found: str(plain(self._values[int(found[1])])), text)


def plain(value: Any) -> Any:  # noqa: ANN401 - any JSON
    r"""Return a value as JSON has it, and what no UTF-8 can hold replaced.

    >>> plain(({"b": "a\ud800"}, 1))
    [{'b': 'a\ufffd'}, 1]
    """
    if isinstance(value, str):
        return value if value.isascii() else _SURROGATE.sub("\ufffd", value)
    if isinstance(value, Mapping):
        return {plain(key): plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


def environment(slots: Slots, folder: Path = TEMPLATES) -> jinja2.Environment:
    """Return the only Jinja environment: strict, from our own files, never from user text."""
    env = jinja2.Environment(  # noqa: S701 - no value gets into the text, and there is no HTML
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["tojson"] = slots.mark
    return env


class Renderer:
    """Turns a template and its values into an object; ``folder`` may be a platform team's own."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self._slots = Slots()
        env = environment(self._slots, folder)
        self._templates = {
            path.name.removesuffix(SUFFIX): env.get_template(path.name)
            for path in sorted(folder.glob(f"*{SUFFIX}"))
        }
        self._known: OrderedDict[bytes, Mapping[str, Any]] = OrderedDict()

    def __call__(self, template: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the object that a template makes of these values."""
        key = _digest(template, values)
        found = self._known.get(key)
        if found is None:
            found = self._made(template, values)
            self._known[key] = found
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return found

    def _made(self, template: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        self._slots.clear()
        text = self._templates[template].render(values)
        made: Mapping[str, Any] = self._slots.filled(_skeleton(text))
        return made


@lru_cache(_SKELETONS)
def _skeleton(text: str) -> Any:  # noqa: ANN401 - any YAML
    return yaml.load(text, Loader=yaml.CSafeLoader)


def _digest(template: str, values: Mapping[str, Any]) -> bytes:
    text = canonical([template, values])
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
