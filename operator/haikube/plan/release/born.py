"""What a release has from its first moment: the config it runs with, and the URL of its slug.

Both are made with it, so that the whole App need not be looked at in between. Where that was cut
short or refused, the release asks for them itself (``plan_release``): it is the same decision.
"""

from __future__ import annotations

from dataclasses import replace

from haikube.model.intents import Create
from haikube.model.release import parse_release
from haikube.plan.context import Context
from haikube.plan.release.slugurl import plan_slug_url
from haikube.plan.release.snapshot import plan_snapshot
from haikube.plan.release.view import release_view
from haikube.plan.world import AppWorld


def with_secrets(made: Create, world: AppWorld, context: Context) -> Create:
    """Return the making of a release together with its Secrets."""
    view = release_view(world, parse_release(made.body))
    wanted = (*plan_snapshot(view, world.app), *plan_slug_url(view, world.app, context))
    return replace(made, owned=tuple(each for each in wanted if isinstance(each, Create)))
