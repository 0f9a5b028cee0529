"""How do processes write their logs? One line per event; a traceback shows code, never the values it worked on."""

import logging
from typing import TextIO

import structlog


def configure(level: str, to: TextIO | None = None) -> None:
    """Log from ``level`` on, to standard output unless said otherwise.

    Values of variables stay out: passwords are among them, and what is known of people. So do the addresses that are
    called, which hold keys and people's e-mail addresses; the HTTP client would tell them.
    """
    for client in ("httpx", "httpcore"):
        logging.getLogger(client).setLevel(logging.WARNING)
    structlog.configure(
        logger_factory=structlog.PrintLoggerFactory(to),
        wrapper_class=structlog.make_filtering_bound_logger(level),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
    )
