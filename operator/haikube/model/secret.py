"""Secret: config vars and presigned URLs; its data is compared, copied, and never printed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from haikube.model import labels
from haikube.model.meta import Meta, Raw, parse_meta
from haikube.model.names import CONFIG_VAR
from haikube.model.times import parse_time


@dataclass(frozen=True, slots=True)
class Secret:
    """``data`` is still base64, as Kubernetes holds it, and left out of ``repr``."""

    meta: Meta
    data: Mapping[str, str] = field(repr=False)

    @property
    def config_vars(self) -> dict[str, str]:
        """Return the entries that can be environment variables."""
        return {key: value for key, value in self.data.items() if CONFIG_VAR.fullmatch(key)}

    @property
    def ignored(self) -> tuple[str, ...]:
        """Return the names that cannot be environment variables."""
        return tuple(sorted(key for key in self.data if not CONFIG_VAR.fullmatch(key)))

    @property
    def expires_at(self) -> datetime | None:
        """Return when the first presigned URL in it ends, or None."""
        text = self.meta.annotations.get(labels.EXPIRES_AT)
        return parse_time(text) if text else None


def parse_secret(obj: Raw) -> Secret:
    """Return the Secret in a raw object."""
    return Secret(meta=parse_meta(obj), data=obj.get("data") or {})
