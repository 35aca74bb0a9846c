"""Job: how a build or a release phase is going, as the job controller reports it."""

from __future__ import annotations

from dataclasses import dataclass

from haikube.model.meta import Meta, Raw, parse_meta


@dataclass(frozen=True, slots=True)
class Job:
    """``failure`` is the reason of the Failed condition, for example ``DeadlineExceeded``."""

    meta: Meta
    complete: bool
    failure: str
    failure_message: str

    @property
    def over(self) -> bool:
        """Return whether the job controller will start no more pods."""
        return self.complete or bool(self.failure)


def parse_job(obj: Raw) -> Job:
    """Return the Job in a raw object."""
    conditions = (obj.get("status") or {}).get("conditions") or ()
    true = {each.get("type"): each for each in conditions if each.get("status") == "True"}
    failed = true.get("Failed") or true.get("FailureTarget") or {}
    return Job(
        meta=parse_meta(obj),
        complete="Complete" in true or "SuccessCriteriaMet" in true,
        failure=(failed.get("reason") or "Failed") if failed else "",
        failure_message=failed.get("message") or "",
    )
