"""Where the platform, or the Heroku command line itself, differs from the published schema.

One table: the place in the schema, what stands there instead, and why.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple


class Deviation(NamedTuple):
    """What stands at ``place`` (keys from ``definitions`` down) instead; None removes it."""

    place: str
    instead: Any
    why: str


_TEXT: Final = {"type": ["string"]}
_ANY: Final[dict[str, object]] = {}

DEVIATIONS: Final = (
    Deviation("app/definitions/git_url/pattern", None, "the platform has a host of its own"),
    Deviation("app/definitions/web_url/pattern", None, "apps answer under the platform's domain"),
    Deviation("app/definitions/name/pattern", None, "the refusal of a name says the whole rule"),
    Deviation(
        "formation/definitions/update/properties/quantity",
        {"type": ["integer", "string"]},
        'the command line sends "3", and "+1" or "-1" for a change',
    ),
    Deviation(
        "formation/definitions/update/properties/size",
        _TEXT,
        "the command line names a size as text",
    ),
    Deviation(
        "formation/definitions/update/properties/dyno_size",
        {"type": ["object", "string"]},
        "clients name a size by its name, too",
    ),
    Deviation(
        "formation/links/3/schema/properties/quantity",
        {"type": ["integer", "string"]},
        "as in a batch",
    ),
    Deviation(
        "add-on/links/9/schema/properties/app",
        {"type": ["string", "null"]},
        "the command line sends null where no app is named",
    ),
    Deviation(
        "add-on-attachment/links/7/schema/properties/app",
        {"type": ["string", "null"]},
        "as with add-ons",
    ),
    Deviation(
        "sni-endpoint/definitions/certificate_chain",
        {},
        "the command line sends a file as text, or as Node's form of its bytes",
    ),
    Deviation(
        "team/definitions/role/enum",
        ["admin", "collaborator", "member", "owner", "viewer", None],
        "requests have the word viewer",
    ),
    Deviation(
        "app/definitions/maintenance/type",
        ["boolean", "integer"],
        "heroku3 sends 0 to end it",
    ),
    Deviation("region/definitions/provider", {}, "regions are not those of one provider"),
    Deviation("sni-endpoint/definitions/private_key", {}, "as the chain"),
    Deviation("domain/links/0/schema/required", ["hostname"], "most apps have no certificate"),
    Deviation(
        "oauth-authorization/links/0/schema/required", [], "the scope is global, unless told"
    ),
    Deviation(
        "oauth-authorization/links/0/schema/properties/expires_in",
        {"type": ["integer", "null", "string"]},
        "the command line sends the seconds as text",
    ),
    Deviation(
        "oauth-authorization/links/3/schema/required", [], "a description may change by itself"
    ),
    Deviation(
        "config-var/links/2/schema/patternProperties",
        {"^": {"type": ["string", "null"]}},
        "the refusal of a name says the whole rule",
    ),
    Deviation("dyno/links/0/schema/properties/env", _ANY, "COLUMNS and LINES are sent as numbers"),
    Deviation(
        "release/links/2/schema/required", [], "a slug or an earlier release: one of the two"
    ),
    Deviation("app-webhook/links/0/schema/additionalProperties", {}, "as everywhere else"),
    Deviation("app-transfer/definitions/silent", {"type": ["boolean"]}, "it is sent"),
    Deviation(
        "buildpack-installation/definitions/update/required",
        [],
        "a buildpack that the registry does not know is sent as nothing: the refusal says so",
    ),
)
