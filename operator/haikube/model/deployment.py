"""Deployment: how far the dynos of a formation are, as the deployment controller reports it."""

from __future__ import annotations

from dataclasses import dataclass

from haikube.model.meta import Meta, Raw, parse_meta


@dataclass(frozen=True, slots=True)
class Deployment:
    """``refusal`` is why the API server refuses its pods: a quota, a policy, or empty."""

    meta: Meta
    observed_generation: int
    replicas: int
    updated: int
    ready: int
    available: int
    refusal: str
    stuck: bool

    @property
    def observed(self) -> bool:
        """Return whether its controller has seen the newest spec."""
        return self.observed_generation >= self.meta.generation


def parse_deployment(obj: Raw) -> Deployment:
    """Return the Deployment in a raw object."""
    status = obj.get("status") or {}
    by_type = {each.get("type"): each for each in status.get("conditions") or ()}
    refused = by_type.get("ReplicaFailure") or {}
    progress = by_type.get("Progressing") or {}
    return Deployment(
        meta=parse_meta(obj),
        observed_generation=status.get("observedGeneration") or 0,
        replicas=status.get("replicas") or 0,
        updated=status.get("updatedReplicas") or 0,
        ready=status.get("readyReplicas") or 0,
        available=status.get("availableReplicas") or 0,
        refusal=refused.get("message", "") if refused.get("status") == "True" else "",
        stuck=progress.get("reason") == "ProgressDeadlineExceeded",
    )
