"""How a build fails: a documented reason, a sentence with the remedy, and who has to act."""

from __future__ import annotations

from enum import StrEnum

USER_EXIT = 1
INFRASTRUCTURE_EXIT = 75
ENGINE_EXIT = 70
CANCELED_EXIT = 143
FINAL_EXITS = frozenset({0, USER_EXIT})
"""After any other, another pod tries once more."""


class Reason(StrEnum):
    """Reasons of a failed Build; part of the API, listed in ``docs/spec``."""

    SOURCE_UNAVAILABLE = "SourceUnavailable"
    SOURCE_INVALID = "SourceInvalid"
    SOURCE_TOO_LARGE = "SourceTooLarge"
    BUILDPACK_NOT_FOUND = "BuildpackNotFound"
    BUILDPACK_INVALID = "BuildpackInvalid"
    NO_BUILDPACK_MATCHES = "NoBuildpackMatches"
    COMPILE_FAILED = "CompileFailed"
    RELEASE_SCRIPT_FAILED = "ReleaseScriptFailed"
    PROCFILE_INVALID = "ProcfileInvalid"
    NO_PROCESS_TYPES = "NoProcessTypes"
    INVALID_CONFIG_VAR = "InvalidConfigVar"
    SLUG_TOO_LARGE = "SlugTooLarge"
    BUILD_TIMED_OUT = "BuildTimedOut"
    BUILD_OUT_OF_MEMORY = "BuildOutOfMemory"
    STORAGE_UNAVAILABLE = "StorageUnavailable"
    CANCELED = "Canceled"
    DISK_FULL = "DiskFull"
    TOO_MANY_PROCESSES = "TooManyProcesses"

    @property
    def exit_code(self) -> int:
        """What the engine exits with: only 1 tells the operator never to try again."""
        special = {
            Reason.STORAGE_UNAVAILABLE: INFRASTRUCTURE_EXIT,
            Reason.CANCELED: CANCELED_EXIT,
        }
        return special.get(self, USER_EXIT)


class BuildFailure(Exception):
    """Ends the build. ``lines`` are what the log shows instead of the message, ready-made.

    Another pod tries once more where the reason is nobody's fault, but for a ``final`` failure.
    """

    def __init__(self, reason: Reason, message: str, *lines: str, final: bool = False) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.lines = lines
        self.exit_code = USER_EXIT if final else reason.exit_code
