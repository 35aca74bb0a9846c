"""The entry point of the build pod: one request in, one result out, whatever happens between."""

from __future__ import annotations

import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, NoReturn

from haikube.build.deadline import Deadline
from haikube.build.disk import disk_failure, is_disk_error
from haikube.build.ending import let_output_drain
from haikube.build.environment import merge_ca
from haikube.build.failure import ENGINE_EXIT, FINAL_EXITS, BuildFailure, Reason
from haikube.build.handback import hand_back, repeated
from haikube.build.layout import Layout
from haikube.build.pipeline import Pipeline
from haikube.build.request import Request, read_request
from haikube.build.result import failed
from haikube.build.transcript import Transcript
from haikube.build.transfer import Transfer


def main(layout: Layout | None = None) -> int:
    """Build what the operator asked for; returns the exit code that tells who has to act."""
    try:
        return _run(layout or Layout())
    except Exception:  # noqa: BLE001 - exit code 1 would blame the user
        traceback.print_exc()
        return ENGINE_EXIT
    finally:
        let_output_drain()


def _run(where: Layout) -> int:
    signal.signal(signal.SIGTERM, _canceled)
    request = read_request(where.request)
    where.prepare()
    transcript = Transcript(sys.stdout.buffer, request.limits.log_bytes)
    transfer = Transfer(merge_ca(where), tell=transcript.warning)
    if repeated(where, transfer):
        return 0
    document, code = _outcome(lambda: _build(request, where, transfer, transcript), transcript)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    hand_back(where, transfer, transcript, document, final=code in FINAL_EXITS)
    return code


def _build(
    request: Request, layout: Layout, transfer: Transfer, transcript: Transcript
) -> Mapping[str, Any]:
    deadline = Deadline(request.limits.timeout_seconds)
    return Pipeline(request, layout, transfer, transcript, deadline).run().document()


def _outcome(
    build: Callable[[], Mapping[str, Any]], transcript: Transcript
) -> tuple[Mapping[str, Any], int]:
    try:
        return build(), 0
    except BuildFailure as error:
        failure = error
    except OSError as error:
        if not is_disk_error(error):
            raise
        failure = disk_failure()
    _explain(failure, transcript)
    return failed(failure), failure.exit_code


def _explain(failure: BuildFailure, transcript: Transcript) -> None:
    """Say in the log what happened, as Heroku does.

    Only a final failure is the push's: after any other another pod tries again.
    """
    transcript.line("")
    if failure.lines:
        for line in failure.lines:
            transcript.line(line)
    else:
        transcript.warning(failure.message)
    if failure.exit_code in FINAL_EXITS:
        transcript.line("")
        transcript.warning("Push failed")


def _canceled(_number: int, _frame: FrameType | None) -> NoReturn:
    """Whoever stops the pod, the engine only knows that it is stopped: a cancel, a full disk."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise BuildFailure(Reason.CANCELED, "The build was stopped from outside")
