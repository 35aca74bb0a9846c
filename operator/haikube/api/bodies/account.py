"""People: the caller, and what an account is asked for besides."""

from __future__ import annotations

from haikube.api.bodies.parts import person
from haikube.cluster.port import Json

_LONG_AGO = "2026-01-01T00:00:00Z"


def account(email: str) -> Json:
    """Return the caller's own account."""
    return {
        **person(email),
        "name": email,
        "verified": True,
        "beta": False,
        "allow_tracking": False,
        "federated": False,
        "two_factor_authentication": False,
        "sms_number": None,
        "suspended_at": None,
        "delinquent_at": None,
        "last_login": None,
        "country_of_residence": None,
        "default_team": None,
        "default_organization": None,
        "identity_provider": None,
        "created_at": _LONG_AGO,
        "updated_at": _LONG_AGO,
    }
