"""What a push must bring along: asked of git before anything is built.

git itself has checked by then what it unpacked: every object well formed, and everything there
that the refs need, but for the history that a shallow clone has not.
"""

from __future__ import annotations

from typing import Final

from haikube.git.command import Git, GitError
from haikube.git.hooks import Call, Update
from haikube.git.manifest import ABSENT
from haikube.git.refusal import Refused
from haikube.git.snapshot import Snapshot

_BRANCHES: Final = "refs/heads/"


async def require_sound(git: Git, snapshot: Snapshot, call: Call) -> None:
    """Raise ``Refused`` for a branch that is no commit, and for history that is missing."""
    updates = [update for update in call.updates if update.new != ABSENT]
    branches = [update for update in updates if update.ref.startswith(_BRANCHES)]
    if branches:
        await _require_commits(git, f"--git-dir={snapshot.path}", branches)
    if call.shallow:
        await _require_history(git, f"--git-dir={snapshot.path}", updates)


async def _require_commits(git: Git, directory: str, branches: list[Update]) -> None:
    wanted = [f"{update.new}^{{commit}}" for update in branches]
    try:
        found = (await git.run(directory, "rev-parse", *wanted)).decode().split()
    except GitError:
        names = ", ".join(update.ref.removeprefix(_BRANCHES) for update in branches)
        raise Refused(
            f"A branch must be a commit: not all of {names} are",
            "Push a branch: git push heroku main",
        ) from None
    for update, commit in zip(branches, found, strict=True):
        if update.new != commit:
            short = update.ref.removeprefix(_BRANCHES)
            raise Refused(
                f"A branch must be a commit, and {update.new[:7]} is a tag",
                f"Push the commit that it names: git push heroku 'TAG^{{}}:{short}'",
            )


async def _require_history(git: Git, directory: str, updates: list[Update]) -> None:
    """Walk from what came to what was here; git does that itself where nothing is shallow."""
    names = [update.new for update in updates]
    try:
        await git.run(directory, "rev-list", "--objects", "--quiet", *names, "--not", "--all")
    except GitError:
        raise Refused(
            "This is a shallow clone: it lacks history that the platform does not have either",
            "Fetch it and push again: git fetch --unshallow",
            "In a CI job, check out the whole history (GitHub Actions: fetch-depth: 0)",
        ) from None
