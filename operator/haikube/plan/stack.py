"""Stack: how many apps use it, and whether both of its images are named."""

from __future__ import annotations

from dataclasses import dataclass

from haikube.model.conditions import Verdict, ready, stamp, trio
from haikube.model.deployment import Deployment
from haikube.model.intents import Plan
from haikube.model.stack import Stack
from haikube.plan.context import Context


@dataclass(frozen=True, slots=True)
class StackView:
    """One stack, how many apps are on it, and all that runs on it."""

    stack: Stack
    apps: int
    deployments: tuple[Deployment, ...] = ()


def plan_stack(view: StackView, context: Context) -> Plan:
    """Return what the status of a stack says; it has no children."""
    stack = view.stack
    if stack.meta.deleting:
        return Plan()
    status = {
        "observedGeneration": stack.meta.generation,
        "apps": view.apps,
        "conditions": stamp(
            stack.status.get("conditions", ()),
            trio(_verdict(stack)),
            stack.meta.generation,
            context.now,
        ),
    }
    return Plan(status=status)


def _verdict(stack: Stack) -> Verdict:
    if stack.deprecation:
        return ready("Deprecated", f"apps should move on: {stack.deprecation}")
    return ready("StackAvailable", "apps can be built and run on this stack")
