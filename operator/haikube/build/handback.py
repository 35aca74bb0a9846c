"""Hands back what became of a build: its log, its result, and the sign that both are stored.

The result is stored last: who finds it takes the build for finished and its log for complete, and
a later pod of the same build repeats it. So nothing may follow it that changes what was stored.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import sleep
from typing import Any, Final

from haikube.build.layout import Layout
from haikube.build.result import encoded, termination_message
from haikube.build.transcript import Transcript
from haikube.build.transfer import Transfer, TransferError

_RESULT_BYTES: Final = 1 << 20
_PROBE_SECONDS: Final = 0.5
"""How long a probe may take to see the mark and to be heard: it ends with the container."""


def hand_back(
    layout: Layout,
    transfer: Transfer,
    transcript: Transcript,
    document: Mapping[str, Any],
    *,
    final: bool,
) -> None:
    """Store log and result; the termination message is enough when the storage is away.

    Only a ``final`` result is shown before the pod ends: any other the next pod may better.
    """
    _write_termination(layout.termination, document)
    uploads = {"log-put": transcript.content(), "result-put": encoded(document)}
    # A storage that does not take the one after all tries is not asked to take the other.
    if all(_stored(layout, transfer, transcript, *each) for each in uploads.items()) and final:
        _mark(layout)


def repeated(layout: Layout, transfer: Transfer) -> bool:
    """Hand back again what an earlier pod of this build stored, if one did.

    Its slug may be in use. A failure is not repeated: what stopped that pod may be over.
    """
    document = _earlier(layout, transfer)
    if document is None:
        return False
    _write_termination(layout.termination, document)
    _mark(layout)
    return True


def _write_termination(path: Path, document: Mapping[str, Any]) -> None:
    """Leave the result where the kubelet picks it up; outside a pod nobody may want it."""
    with suppress(OSError):
        path.write_bytes(termination_message(document))


def _stored(
    layout: Layout, transfer: Transfer, transcript: Transcript, name: str, content: bytes
) -> bool:
    url = layout.url(name)
    try:
        if url is not None:
            transfer.put_bytes(url, content)
    except TransferError as error:
        transcript.warning(f"{name} could not be stored: {error}")
        return False
    return True


def _mark(layout: Layout) -> None:
    """Let the pod's readiness probe know, which tells sooner than the end of the pod does."""
    with suppress(OSError):  # a full disk
        layout.handed_back.touch()
        if layout.awaited.exists():
            sleep(_PROBE_SECONDS)


def _earlier(layout: Layout, transfer: Transfer) -> Mapping[str, Any] | None:
    url, file = layout.url("result-get"), layout.spool / "result.json"
    if url is None:
        return None
    try:
        transfer.fetch(url, file, limit=_RESULT_BYTES)
        document = json.loads(file.read_bytes())
    except (TransferError, ValueError):
        return None
    finally:
        file.unlink(missing_ok=True)
    return document if isinstance(document, dict) and document.get("ok") is True else None
