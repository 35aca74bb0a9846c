"""App names: the rule, the words for a refusal, and names for people who bring none."""

from __future__ import annotations

import secrets
from typing import Final

from haikube.api.kernel.problems import invalid
from haikube.model.names import APP_NAME

_ADJECTIVES: Final = """
ancient autumn blue bold calm cold crimson damp dark dry evening falling floral fragrant frosty
gentle green hidden icy late limitless little lively long misty morning muddy nameless old patient
polished proud purple quiet red restless rough serene shy silent small snowy solitary sparkling
spring still summer sweet thawing twilight wandering weathered white wild winter wispy young
"""
_NOUNS: Final = """
bird breeze brook bush butterfly cherry cloud darkness dawn dew dream dust feather field fire
firefly flower fog forest frog frost glade glitter grass haze hill lake leaf meadow moon morning
mountain night pine pond rain resonance river sea shadow shape silence sky smoke snow snowflake
sound star sun sunset surf thunder tree violet voice water waterfall wave wind wood
"""
_RULE: Final = (
    "Name must start with a letter, end with a letter or digit and can only contain lowercase "
    "letters, digits, and dashes; it has 3 to 30 characters"
)


def generated_name() -> str:
    """Return a name like falling-wind-1624."""
    number = 1000 + secrets.randbelow(9000)
    return f"{secrets.choice(_ADJECTIVES.split())}-{secrets.choice(_NOUNS.split())}-{number}"


def require_name(name: object, reserved: frozenset[str]) -> str:
    """Return ``name`` if it may name an app; raises a 422 ``invalid`` that holds the rule."""
    if not isinstance(name, str) or not APP_NAME.fullmatch(name):
        raise invalid(f"{_RULE}. {name!r:.60} does not.")
    if name in reserved:
        raise invalid(f"Name {name} belongs to the platform: choose another.")
    return name
