"""Checks out a public git repository over http or https, shallow where the server allows it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from haikube.build.archive import remove_tree
from haikube.build.child import Completed, capture
from haikube.build.deadline import Deadline
from haikube.build.transfer import Transfer, TransferError, check_url

_OPTIONS: Final = (
    "-c",
    "protocol.allow=never",
    "-c",
    "protocol.http.allow=always",
    "-c",
    "protocol.https.allow=always",
    "-c",
    "http.lowSpeedLimit=1000",
    "-c",
    "http.lowSpeedTime=60",
    "-c",
    "core.symlinks=true",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "http.followRedirects=false",  # they are followed, and judged, before git is asked
    "-c",
    "advice.detachedHead=false",
)


class CheckoutError(Exception):
    """The repository or its ref could not be had; the text says what git said."""


def check_out(
    url: str,
    ref: str,
    target: Path,
    *,
    env: Mapping[str, str],
    deadline: Deadline,
    transfer: Transfer,
) -> str:
    """Put ``ref`` of the repository into ``target``; returns the commit."""
    _check_ref(ref)
    git = _Git(target, env, deadline)
    git.must("init", "--quiet")
    git.must("remote", "add", "origin", _resolved(url, transfer))
    wanted = "FETCH_HEAD"
    if git.run("fetch", "--quiet", "--depth=1", "origin", ref).code:
        git.must("fetch", "--quiet", "--tags", "origin", "+refs/heads/*:refs/remotes/origin/*")
        wanted = git.first(f"origin/{ref}", ref)
    git.must("checkout", "--quiet", "--detach", wanted)
    git.fill_submodules()
    return git.must("rev-parse", "HEAD").out.decode().strip()


def add_submodules(
    target: Path, commits: Mapping[str, str], *, env: Mapping[str, str], deadline: Deadline
) -> Collection[str]:
    """Fetch the submodules of a source that came without its repository: commits by path.

    Returns the paths that ``.gitmodules`` names; git knows nothing of where the others are.
    """
    git = _Git(target, env, deadline)
    git.must("init", "--quiet")
    named = git.submodule_paths() & commits.keys()
    for path in sorted(named):
        git.must("update-index", "--add", "--cacheinfo", f"160000,{commits[path]},{path}")
    git.fill_submodules()
    return named


def _check_ref(ref: str) -> None:
    if not ref or ref.startswith("-") or any(ord(char) <= ord(" ") for char in ref):
        raise CheckoutError(f"{ref!r} is not the name of a branch, tag or commit")


def _resolved(url: str, transfer: Transfer) -> str:
    """Return where a repository has moved to, asking as git asks."""
    tail = f"/info/refs{'&' if '?' in url else '?'}service=git-upload-pack"
    try:
        found = transfer.resolve(check_url(url).rstrip("/") + tail)
    except TransferError as error:
        raise CheckoutError(f"The repository cannot be used: {error}") from error
    if not found.endswith(tail):
        raise CheckoutError("The repository cannot be used: it redirects to what is none")
    return found.removesuffix(tail)


class _Git:
    def __init__(self, target: Path, env: Mapping[str, str], deadline: Deadline) -> None:
        self._target = target
        self._env = {
            **env,
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": "/dev/null",
        }
        self._deadline = deadline

    def run(self, *arguments: str) -> Completed:
        argv: Sequence[str] = ["git", *_OPTIONS, "-C", str(self._target), *arguments]
        return capture(argv, env=self._env, deadline=self._deadline)

    def must(self, *arguments: str) -> Completed:
        done = self.run(*arguments)
        if done.code:
            raise CheckoutError(f"git {arguments[0]} failed: {_last_words(done)}")
        return done

    def submodule_paths(self) -> set[str]:
        """Return the paths that ``.gitmodules`` names."""
        asked = (
            "config",
            "--file",
            ".gitmodules",
            "--null",
            "--get-regexp",
            r"^submodule\..*\.path$",
        )
        found = self.run(*asked).out.decode("utf-8", "replace").split("\0")
        return {entry.partition("\n")[2] for entry in found if entry}

    def fill_submodules(self) -> None:
        """Fetch what ``.gitmodules`` names; a server that gives no single commit gives all."""
        if not (self._target / ".gitmodules").is_file():
            return
        update = ("submodule", "update", "--quiet", "--init", "--recursive")
        if self.run(*update, "--depth=1").code:
            self.run("submodule", "deinit", "--quiet", "--force", "--all")
            remove_tree(self._target / ".git" / "modules")
            self.must(*update)

    def first(self, *names: str) -> str:
        for name in names:
            if not self.run("rev-parse", "--quiet", "--verify", f"{name}^{{commit}}").code:
                return name
        raise CheckoutError(f"The repository has no branch, tag or commit {names[-1]!r}")


def _last_words(done: Completed) -> str:
    lines = done.err.decode("utf-8", "replace").strip().splitlines()
    return _without_urls(lines[-1]) if lines else f"exit code {done.code}"


def _without_urls(text: str) -> str:
    """A URL may carry a token in its query: keep the host only."""
    words = (word if "://" not in word else _host(word) for word in text.split(" "))
    return " ".join(words)


def _host(word: str) -> str:
    return urlsplit(word.strip("'\"")).hostname or "(URL)"
