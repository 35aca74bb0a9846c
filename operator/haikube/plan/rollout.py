"""A stack whose image changes moves its dynos bit by bit, not those of all apps at once.

The image that dynos run on is noted on their Deployment. One whose release is the same keeps it
until its turn; a new release takes the new image anyhow.
"""

from __future__ import annotations

from dataclasses import replace

from haikube.model import labels
from haikube.model.deployment import Deployment
from haikube.model.formation import Formation
from haikube.model.release import Release
from haikube.model.stack import Stack
from haikube.plan.children import label_value
from haikube.plan.stack import StackView
from haikube.plan.world import AppWorld


def turns(view: StackView, at_once: int) -> frozenset[str]:
    """Return the uids of the Deployments that move to the image of a stack now.

    Those that run no dynos move at once. One that does not come up holds up the others, so an
    image that is broken stops ``at_once`` rollouts and no more; their old dynos run on.
    """
    image = view.stack.run_image
    behind = [each for each in view.deployments if _image(each) != image]
    idle = [each for each in behind if not each.replicas]
    under_way = sum(_image(each) == image and not _is_up(each) for each in view.deployments)
    waiting = sorted((each for each in behind if each.replicas), key=lambda each: each.meta.uid)
    chosen = waiting[: max(0, at_once - under_way)]
    return frozenset(each.meta.uid for each in (*idle, *chosen))


def paced(world: AppWorld, formation: Formation, release: Release) -> Stack | None:
    """Return the stack of a formation, with the image that its dynos are to run on now."""
    stack = world.stacks.get(release.stack)
    found = world.deployments.get(formation.meta.uid)
    if stack is None or found is None or not _image(found) or found.meta.uid in world.moving:
        return stack
    if found.meta.labels.get(labels.RELEASE) != label_value(release.meta.name):
        return stack
    return replace(stack, run_image=_image(found))


def _image(deployment: Deployment) -> str:
    return deployment.meta.annotations.get(labels.IMAGE, "")


def _is_up(deployment: Deployment) -> bool:
    same = deployment.updated == deployment.replicas == deployment.available
    return deployment.observed and same
