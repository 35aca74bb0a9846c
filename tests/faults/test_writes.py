"""Every write of eight workloads goes wrong in every way, and the end is the same.

The oracle is the undisturbed run: the same state, nothing made twice, no traceback. A fault is put
at one write of the workload after the other: the operator dies before it, after it, or the answer
is lost; the API server refuses it once.
"""

from __future__ import annotations

import pytest

from faults.workloads import WORKLOADS, check, run
from haikube.cluster.errors import ApiError, Conflict, TooManyRequests, Unreachable
from simulation import Fault

pytestmark = pytest.mark.faults

MOMENTS: tuple[Fault, ...] = ("before", "after", "lost")
REFUSALS: tuple[ApiError, ...] = (
    Conflict(409, "Conflict", "the object has been modified"),
    TooManyRequests(429, "TooManyRequests", "slow down"),
    ApiError(500, "InternalError", "etcdserver: leader changed"),
    Unreachable(0, "Unreachable", "timed out"),
)


@pytest.mark.parametrize("workload", WORKLOADS)
async def test_the_operator_dies_at_any_write(
    workload: str, caplog: pytest.LogCaptureFixture
) -> None:
    wanted, writes = await run(WORKLOADS[workload])
    for at in range(1, writes + 1):
        for moment in MOMENTS:
            found, _ = await run(WORKLOADS[workload], at=at, fault=moment)
            check(found, wanted, caplog, f"{moment} write {at} of {writes}")


@pytest.mark.parametrize("error", REFUSALS, ids=lambda each: each.reason)
@pytest.mark.parametrize("workload", WORKLOADS)
async def test_the_api_server_refuses_any_write_once(
    workload: str, error: ApiError, caplog: pytest.LogCaptureFixture
) -> None:
    wanted, writes = await run(WORKLOADS[workload])
    for at in range(1, writes + 1):
        found, _ = await run(WORKLOADS[workload], at=at, fault=error)
        check(found, wanted, caplog, f"{error.reason} at write {at} of {writes}")
