"""All scenarios, by room. The steps of a room are typed in order."""

from heroku.rooms.apps import ACCESS, APPS, GIT, LOCKS, TEAMS
from heroku.rooms.auth import AUTH, AUTHORIZATIONS, KEYS
from heroku.rooms.edges import BUILDPACKS, CERTS, DOMAINS, FEATURES, LATER, WEBHOOKS
from heroku.rooms.living import DRAINS, LOGS, RUN
from heroku.rooms.running import CONFIG, MAINTENANCE, PS, RELEASES
from heroku.steps import Step

ROOMS: dict[str, list[Step]] = {
    "auth": AUTH,
    "authorizations": AUTHORIZATIONS,
    "keys": KEYS,
    "apps": APPS,
    "locks": LOCKS,
    "teams": TEAMS,
    "access": ACCESS,
    "git": GIT,
    "ps": PS,
    "config": CONFIG,
    "releases": RELEASES,
    "maintenance": MAINTENANCE,
    "domains": DOMAINS,
    "certs": CERTS,
    "buildpacks": BUILDPACKS,
    "features": FEATURES,
    "webhooks": WEBHOOKS,
    "logs": LOGS,
    "run": RUN,
    "drains": DRAINS,
    "later": LATER,
}
