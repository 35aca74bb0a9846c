"""Structured logs: one JSON object per line, and no secret in any of them.

Everything goes through the standard library's loggers, ours and kopf's alike. What looks like a
signature, a token or a password is masked, whoever wrote it.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_MASK = "***"
_SECRETS = (
    re.compile(r"(?i)(X-Amz-(?:Signature|Credential|Security-Token)=)[^&\s\"']+"),
    re.compile(r"(?i)(\bAuthorization['\"]?\s*[:=]\s*['\"]?(?:Bearer|Basic)\s+)[^\s\"',]+"),
    re.compile(r"(?i)(\bBearer\s+)[A-Za-z0-9._~+/-]{16,}=*"),
    re.compile(r"(?i)(\"?(?:password|secret_key|secretKey|token)\"?\s*[:=]\s*\"?)[^\s\"',}]+"),
    re.compile(r"(://[^/\s:@]+:)[^/\s@]+(?=@)"),
)

Entry = MutableMapping[str, Any]


def mask(text: str) -> str:
    """Return a text without anything secret in it.

    >>> mask("GET http://s3/x?X-Amz-Signature=abc&y=1")
    'GET http://s3/x?X-Amz-Signature=***&y=1'
    """
    for pattern in _SECRETS:
        text = pattern.sub(rf"\g<1>{_MASK}", text)
    return text


def _masked(_: object, __: str, entry: Entry) -> Entry:
    return {key: mask(value) if isinstance(value, str) else value for key, value in entry.items()}


def configure_logs(level: str) -> None:
    """Send every log of this process to stderr as JSON."""
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _masked,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("kopf.objects", "kopf.activities", "kopf._core", "kopf._cogs", "aiohttp.access"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
