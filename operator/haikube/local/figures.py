"""What the parts of the platform take of the machine, for a person: read from their own metrics."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final

from haikube.local.command import LocalError
from haikube.local.kubectl import Kubectl

_METRICS_PORTS: Final = {
    "haikube-operator": 9090,
    "haikube-api": 8080,
    "haikube-gateway": 8082,
}
_NAME: Final = "app.kubernetes.io/name"
_SAMPLE: Final = re.compile(
    r"^process_(resident_memory_bytes|cpu_seconds_total) (\S+)$", re.MULTILINE
)


def platform_figures(kubectl: Kubectl) -> Iterator[tuple[str, str]]:
    """Yield each pod of the platform with its memory and the CPU time since its start."""
    selector = f"{_NAME} in ({','.join(_METRICS_PORTS)})"
    listing = kubectl("get", "pods", "--all-namespaces", "-l", selector, "-o", "json")
    for pod in json.loads(listing)["items"]:
        metadata = pod["metadata"]
        port = _METRICS_PORTS[metadata["labels"][_NAME]]
        address = f"/api/v1/namespaces/{metadata['namespace']}/pods/{metadata['name']}:{port}"
        try:
            text = kubectl("get", "--raw", f"{address}/proxy/metrics")
        except LocalError:
            text = ""
        yield metadata["name"], figures(text)


def figures(metrics: str) -> str:
    r"""Return memory and CPU time of a process in the metrics that it gives of itself.

    >>> figures("process_resident_memory_bytes 9.4e+07\nprocess_cpu_seconds_total 61.5\n")
    '94 MB, 61.5 s of CPU'
    """
    found = {name: float(value) for name, value in _SAMPLE.findall(metrics)}
    if len(found) < 2:  # noqa: PLR2004 - the two names above
        return "gives no metrics"
    memory, cpu = found["resident_memory_bytes"], found["cpu_seconds_total"]
    return f"{memory / 1e6:.0f} MB, {cpu:.1f} s of CPU"
