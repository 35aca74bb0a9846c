"""Render templates into objects, once per distinct input.

YAML contains JSON, so a value that went through ``tojson`` cannot change the structure around it.
A rendered object is shared by everyone who asks for the same input: nobody may change it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import yaml

TEMPLATES = Path(__file__).parent / "templates"
SUFFIX = ".yaml.j2"
_REMEMBERED = 8192

_NOT_PLAIN = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def to_json(value: object, **_: object) -> str:
    r"""Return JSON that a YAML reader takes as the same value, whatever the text holds.

    >>> yaml.load(to_json("é \x7f \U0001f600 {{ }}"), Loader=yaml.CSafeLoader)
    'é \x7f 😀 {{ }}'
    """
    if isinstance(value, jinja2.Undefined):
        str(value)  # raises, naming the variable
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    text = _SURROGATE.sub("\ufffd", text)
    return _NOT_PLAIN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def environment(folder: Path = TEMPLATES) -> jinja2.Environment:
    """Return the only Jinja environment: strict, from our own files, never from user text."""
    env = jinja2.Environment(  # noqa: S701 - this renders YAML through tojson, there is no HTML
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters["tojson"] = to_json
    return env


class Renderer:
    """Turns a template and its values into an object; ``folder`` may be a platform team's own."""

    def __init__(self, folder: Path = TEMPLATES) -> None:
        self._templates = {
            path.name.removesuffix(SUFFIX): environment(folder).get_template(path.name)
            for path in sorted(folder.glob(f"*{SUFFIX}"))
        }
        self._known: OrderedDict[bytes, Mapping[str, Any]] = OrderedDict()

    def __call__(self, template: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the object that a template makes of these values."""
        key = _digest(template, values)
        found = self._known.get(key)
        if found is None:
            found = self._load(template, values)
            self._known[key] = found
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return found

    def _load(self, template: str, values: Mapping[str, Any]) -> Mapping[str, Any]:
        text = self._templates[template].render(values)
        loaded: Mapping[str, Any] = yaml.load(text, Loader=yaml.CSafeLoader)
        return loaded


def _digest(template: str, values: Mapping[str, Any]) -> bytes:
    text = json.dumps([template, values], sort_keys=True, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
