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
from haikube.build.environment import merge_ca
from haikube.build.failure import ENGINE_EXIT, BuildFailure, Reason
from haikube.build.layout import Layout
from haikube.build.pipeline import Pipeline
from haikube.build.request import Request, read_request
from haikube.build.result import encoded, failed, write_termination
from haikube.build.transcript import Transcript
from haikube.build.transfer import Transfer, TransferError


def main(layout: Layout | None = None) -> int:
    """Build what the operator asked for; returns the exit code that tells who has to act."""
    try:
        return _run(layout or Layout())
    except Exception:  # noqa: BLE001 - exit code 1 would blame the user
        traceback.print_exc()
        return ENGINE_EXIT


def _run(where: Layout) -> int:
    signal.signal(signal.SIGTERM, _canceled)
    request = read_request(where.request)
    where.prepare()
    transfer = Transfer(merge_ca(where))
    transcript = Transcript(sys.stdout.buffer, request.limits.log_bytes)
    document, code = _outcome(lambda: _build(request, where, transfer, transcript), transcript)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _hand_back(where, transfer, transcript, document)
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
    return failed(failure), failure.reason.exit_code


def _explain(failure: BuildFailure, transcript: Transcript) -> None:
    """Say in the log what happened, as Heroku does."""
    transcript.line("")
    if failure.lines:
        for line in failure.lines:
            transcript.line(line)
    else:
        transcript.warning(failure.message)
    transcript.line("")
    transcript.warning("Push failed")


def _hand_back(
    layout: Layout, transfer: Transfer, transcript: Transcript, document: Mapping[str, Any]
) -> None:
    """Leave result and log; the termination message is enough when the storage is away."""
    write_termination(layout.termination, document)
    uploads = {"result-put": encoded(document), "log-put": transcript.content()}
    for name, content in uploads.items():
        url = layout.url(name)
        try:
            if url is not None:
                transfer.put_bytes(url, content)
        except TransferError as error:
            transcript.warning(f"{name} could not be stored: {error}")


def _canceled(_number: int, _frame: FrameType | None) -> NoReturn:
    """Whoever stops the pod, the engine only knows that it is stopped: a cancel, a full disk."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise BuildFailure(Reason.CANCELED, "The build was stopped from outside")
