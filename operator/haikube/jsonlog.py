"""How the processes that answer requests write their log: one JSON object per line on stdout.

The operator has a log of its own (``operator.logs``): kopf logs through the standard library.
"""

from __future__ import annotations

import logging

import structlog


def configure_logging(level: str) -> None:
    """Write what is at least of ``level``; of libraries, warnings at most."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    logging.basicConfig(level=max(number, logging.WARNING), format="%(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(number),
    )
