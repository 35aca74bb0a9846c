"""Which updates a push may ask for: decided from names and the manifest alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from haikube.git.hooks import Update
from haikube.git.manifest import ABSENT, Manifest, is_ref
from haikube.git.refusal import Refused

DEPLOY_REFS: Final = ("refs/heads/main", "refs/heads/master")
"""Branches that are deployed; the first of them that a push holds."""

_BRANCHES: Final = "refs/heads/"


def choose(updates: tuple[Update, ...]) -> Update | None:
    """Return the update that deploys, None where none does; raises ``Refused``."""
    for update in updates:
        require_allowed(update)
    by_ref = {update.ref: update for update in updates}
    return next((by_ref[ref] for ref in DEPLOY_REFS if ref in by_ref), None)


def stored_only(updates: Iterable[Update], deploy: Update | None) -> list[str]:
    """Return the short names of branches that are stored and not deployed."""
    return [
        update.ref.removeprefix(_BRANCHES)
        for update in updates
        if update.ref.startswith(_BRANCHES) and update.new != ABSENT and update != deploy
    ]


def require_allowed(update: Update) -> None:
    """Raise ``Refused`` for what is no branch and no tag, and for an end of what is deployed."""
    if not is_ref(update.ref):
        raise Refused(f"{update.ref} cannot be pushed", "Push a branch: git push heroku main")
    if update.new == ABSENT and update.ref in DEPLOY_REFS:
        short = update.ref.removeprefix(_BRANCHES)
        raise Refused(f"Cannot delete {short}", "To remove the app: haikube destroy APP")


def require_unmoved(update: Update, manifest: Manifest) -> None:
    """Raise ``Refused`` when somebody else moved the ref after this client looked."""
    current = manifest.get(update.ref)
    if current not in {update.old, update.new}:
        raise Refused(
            f"{update.ref} was moved to {current[:7]} by another push",
            "Integrate it first: git pull heroku main, then push again",
        )
