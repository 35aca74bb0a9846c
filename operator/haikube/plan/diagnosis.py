"""Why a dyno does not run: what the kubelet says, in Heroku's words and with its codes."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from haikube.model.conditions import Verdict, progressing, stalled
from haikube.model.pod import Ended, Pod

PLATFORM_ERROR = "Error R99"
"""How the last word of a dyno begins when it could not fetch or verify the slug."""

BOOT_TIMEOUT = "Error R10"
"""How it begins when the process did not listen in time."""

_SHOWN = 300
_PULL_TROUBLE = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName"})


def diagnose(pods: Iterable[Pod]) -> Verdict | None:
    """Return what is wrong with the first of these dynos that has something wrong, by name."""
    for pod in sorted(pods, key=lambda each: (each.dyno, each.meta.name)):
        if not pod.meta.deleting and not pod.ready:
            found = _verdict(pod)
            if found is not None:
                return found
    return None


def _verdict(pod: Pod) -> Verdict | None:
    ended = pod.ended or pod.last
    checks: tuple[Callable[[], Verdict | None], ...] = (
        lambda: _cannot_start(pod),
        lambda: _out_of_memory(pod, ended),
        lambda: _no_slug(pod, ended),
        lambda: _boot_timeout(pod, ended),
        lambda: _crashed(pod, ended),
        lambda: _unschedulable(pod),
    )
    return next((verdict for check in checks if (verdict := check())), None)


def _cannot_start(pod: Pod) -> Verdict | None:
    if pod.waiting in _PULL_TROUBLE:
        return stalled(
            "ImagePullFailed",
            f"{_name(pod)}: the image of the stack cannot be pulled ({pod.waiting}: "
            f"{pod.waiting_message}); check runImage of the Stack",
        )
    if pod.waiting == "CreateContainerConfigError":
        return stalled("ConfigUnavailable", f"{_name(pod)} cannot start: {pod.waiting_message}")
    return None


def _out_of_memory(pod: Pod, ended: Ended | None) -> Verdict | None:
    if ended is None or ended.reason != "OOMKilled":
        return None
    return stalled(
        "MemoryQuotaExceeded",
        f"{_name(pod)}: Error R15 (Memory quota vastly exceeded): it was killed at its memory "
        "limit; make it use less memory, or give it a larger size",
    )


def _no_slug(pod: Pod, ended: Ended | None) -> Verdict | None:
    if ended is None or not ended.message.startswith(PLATFORM_ERROR):
        return None
    said = ended.message.splitlines()[0][:_SHOWN]
    return stalled("SlugUnavailable", f"{_name(pod)}: {said}; check the object storage")


def _boot_timeout(pod: Pod, ended: Ended | None) -> Verdict | None:
    if ended is None or not ended.message.startswith(BOOT_TIMEOUT):
        return None
    said = ended.message.splitlines()[0][:_SHOWN]
    return stalled("BootTimeout", f"{_name(pod)}: {said}; bind to 0.0.0.0:$PORT")


def _crashed(pod: Pod, ended: Ended | None) -> Verdict | None:
    if ended is None:
        return None
    return stalled(
        "AppCrashed",
        f"{_name(pod)}: Error H10 (App crashed): its process ended with exit code "
        f"{ended.exit_code}; see the log of the dyno",
    )


def _unschedulable(pod: Pod) -> Verdict | None:
    if not pod.unschedulable:
        return None
    return progressing("Unschedulable", f"no node for {_name(pod)}: {pod.unschedulable}")


def _name(pod: Pod) -> str:
    return pod.dyno or pod.meta.name
