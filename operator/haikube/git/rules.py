"""Which updates a push may ask for: decided from names and the manifest alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from haikube.git.hooks import Update
from haikube.git.manifest import ABSENT, Manifest, is_ref
from haikube.git.refusal import Refused

DEPLOY_REFS: Final = ("refs/heads/main", "refs/heads/master")
"""Branches that are deployed; the first of them that a push holds."""

_BRANCHES: Final = "refs/heads/"
_LONGEST_PART: Final = 200


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
    if not is_pushable(update.ref):
        raise Refused(f"{update.ref} cannot be pushed", "Push a branch: git push heroku main")
    if update.new == ABSENT and update.ref in DEPLOY_REFS:
        short = update.ref.removeprefix(_BRANCHES)
        raise Refused(f"Cannot delete {short}", "To remove the app: haikube destroy APP")


def is_pushable(ref: str) -> bool:
    """Tell whether a branch or tag has a name that git takes everywhere; ``check-ref-format``."""
    parts = ref.split("/")
    return (
        is_ref(ref)
        and "@{" not in ref
        and not ref.endswith(".")
        and not any(not part or part[0] == "." or part.endswith(".lock") for part in parts)
        and all(len(part.encode(errors="surrogatepass")) <= _LONGEST_PART for part in parts)
    )


def require_room(updates: Iterable[Update], manifest: Manifest, most: int) -> None:
    """Raise ``Refused`` where one ref would be a folder of another, or where there are too many.

    With ``most`` the manifest stays small enough to be read at once.
    """
    refs = {ref for ref in manifest.refs if ref not in {update.ref for update in updates}}
    refs |= {update.ref for update in updates if update.new != ABSENT}
    for ref in sorted(refs):
        for parent in _parents(ref):
            if parent in refs:
                raise Refused(
                    f"{ref} cannot stand beside {parent}",
                    f"Delete that one first: git push heroku :{parent}",
                )
    if len(refs) > max(most, len(manifest.refs)):
        raise Refused(
            f"The repository would have {len(refs):,} branches and tags, more than {most:,}",
            "Delete some: git push heroku --delete NAME, or push fewer tags",
            "Or ask the platform's operators to raise HAIKUBE_GIT_REFS_LIMIT",
        )


def _parents(ref: str) -> Iterator[str]:
    parts = ref.split("/")
    return ("/".join(parts[:end]) for end in range(3, len(parts)))


def require_unmoved(update: Update, manifest: Manifest) -> None:
    """Raise ``Refused`` when somebody else moved the ref after this client looked."""
    current = manifest.get(update.ref)
    if current not in {update.old, update.new}:
        raise Refused(
            f"{update.ref} was moved to {current[:7]} by another push",
            "Integrate it first: git pull heroku main, then push again",
        )
