"""heroku3, which asks for ``six`` without saying so: it gets the one module that it wants of it."""

from __future__ import annotations

import sys
import urllib.parse
from types import ModuleType

for _name in ("six", "six.moves", "six.moves.urllib"):
    sys.modules.setdefault(_name, ModuleType(_name))
sys.modules.setdefault("six.moves.urllib.parse", urllib.parse)

import heroku3  # noqa: E402 - it needs what stands above
import heroku3.api  # noqa: E402

__all__ = ["heroku3"]
