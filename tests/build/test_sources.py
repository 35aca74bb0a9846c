"""Sources and buildpacks from elsewhere: git over HTTP and archives by URL."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from build.gitserver import git, git_server
from build.rig import COMPILE, DETECT, RELEASE, Engine, digest_of, pack


@dataclass
class Repository:
    work: Path
    url: str

    def commit(self, **files: str) -> str:
        for name, text in files.items():
            path = self.work / name.replace("__", "/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            path.chmod(0o755)
        git(self.work, "add", "-A")
        git(self.work, "commit", "-qm", "x")
        git(self.work, "push", "-q", "--all", "origin")
        return git(self.work, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Iterator[Repository]:
    root, work = tmp_path / "repositories", tmp_path / "work"
    root.mkdir()
    work.mkdir()
    git(root, "init", "-q", "--bare", "app.git")
    git(work, "init", "-q")
    git(work, "remote", "add", "origin", str(root / "app.git"))
    moved = {
        "/old.git": "/app.git",
        "/inside.git": "http://169.254.169.254/app.git",
        "/page.git/info/refs?service=git-upload-pack": "/app.git/HEAD",
    }
    with git_server(root, moved) as url:
        yield Repository(work, f"{url}/app.git")


def source(engine: Engine, **git_source: str) -> None:
    engine.request = {"source": {"git": git_source}}


def test_a_branch_is_built_and_its_commit_told(engine: Engine, repository: Repository) -> None:
    engine.buildpack(compile='#!/bin/sh\nls -A $1; echo "at $SOURCE_VERSION"\n')
    commit = repository.commit(file="x", sub__Procfile="web: x\n")
    source(engine, url=repository.url, ref="main")
    done = engine.run()
    assert done.result["commit"] == commit
    assert f"file\nsub\nat {commit}\n" in done.log


def test_a_commit_that_is_no_branch_is_found(engine: Engine, repository: Repository) -> None:
    engine.buildpack()
    first = repository.commit(file="one")
    repository.commit(file="two")
    source(engine, url=repository.url, ref=first)
    assert engine.run().result["commit"] == first
    assert (engine.layout.build_dir / "file").read_text() == "one"


def test_one_folder_of_a_repository(engine: Engine, repository: Repository) -> None:
    engine.buildpack(compile="#!/bin/sh\nls -A $1\n")
    repository.commit(apps__one__Procfile="web: one\n", other="x")
    source(engine, url=repository.url, ref="main", subPath="apps/one/")
    assert "\nProcfile\n-----> Discovering" in engine.run().log


def test_a_repository_that_has_moved_is_followed(engine: Engine, repository: Repository) -> None:
    engine.buildpack()
    commit = repository.commit(file="x")
    source(engine, url=repository.url.replace("app.git", "old.git"), ref="main")
    assert engine.run().result["commit"] == commit


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("inside.git", "a redirect to the private address 169.254.169.254 is refused"),
        ("page.git", "it redirects to what is none"),
    ],
)
@pytest.mark.parametrize("kind", ["source", "buildpack"])
def test_a_repository_is_not_followed_further_in(
    engine: Engine,
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    words: str,
    kind: str,
) -> None:
    outer = {"127.0.0.1": 0}
    monkeypatch.setattr("haikube.build.transfer._depth", lambda host: outer.get(host, 2))
    url = repository.url.replace("app.git", name)
    if kind == "source":
        source(engine, url=url, ref="main")
    else:
        engine.request = {"buildpacks": [{"url": url}]}
    reason, message = engine.run({"x": ""}).failure
    assert reason == {"source": "SourceUnavailable", "buildpack": "BuildpackNotFound"}[kind]
    assert words in message


@pytest.mark.parametrize(
    ("asked", "reason", "words"),
    [
        ({"ref": "nowhere"}, "SourceUnavailable", "no branch, tag or commit 'nowhere'"),
        ({"ref": "--upload-pack=x"}, "SourceUnavailable", "not the name of a branch"),
        ({"ref": "main", "subPath": "../.."}, "SourceInvalid", "'..'"),
        ({"ref": "main", "subPath": "missing"}, "SourceInvalid", "no folder of the repository"),
        ({"url": "ext::sh -c id"}, "SourceUnavailable", "not allowed"),
        ({"url": "http://127.0.0.1:1/x.git?token=secret"}, "SourceUnavailable", "git fetch failed"),
    ],
)
def test_a_git_source_that_cannot_be_had(
    engine: Engine, repository: Repository, asked: dict[str, str], reason: str, words: str
) -> None:
    repository.commit(file="x")
    source(engine, **{"url": repository.url, **asked})
    done = engine.run()
    found, message = done.failure
    assert found == reason
    assert words in message
    assert "secret" not in message + done.log


def test_links_of_a_repository_are_judged_as_those_of_an_archive(
    engine: Engine, repository: Repository
) -> None:
    (repository.work / "out").symlink_to("../../etc/passwd")
    repository.commit(file="x")
    source(engine, url=repository.url, ref="main")
    reason, message = engine.run().failure
    assert reason == "SourceInvalid"
    assert "'out', which is refused: it leads out" in message


def test_a_blob_with_its_checksum_and_a_folder_of_its_own(engine: Engine) -> None:
    engine.buildpack(compile="#!/bin/sh\nls $1\n")
    blob = engine.stored("blob.tar.gz")
    blob.write_bytes(pack({"app-1.0/Procfile": "web: x\n"}))
    url = engine.objects.url(blob.name)
    engine.request = {"source": {"blob": {"url": url, "checksum": digest_of(blob)}}}
    assert "\nProcfile\n" in engine.run().log
    engine.request = {"source": {"blob": {"url": url, "checksum": "sha256:" + "0" * 64}}}
    assert engine.run().failure[0] == "SourceInvalid"


def test_a_buildpack_from_a_git_repository(engine: Engine, repository: Repository) -> None:
    repository.commit(
        bin__detect=DETECT, bin__compile="#!/bin/sh\necho old\n", bin__release=RELEASE
    )
    git(repository.work, "tag", "v1")
    git(repository.work, "push", "-q", "origin", "v1")
    repository.commit(bin__compile=COMPILE)
    engine.request = {"buildpacks": [{"url": f"{repository.url}#v1"}]}
    done = engine.run({"x": ""})
    assert (
        f"-----> Using buildpack: {repository.url}#v1\n-----> Toy app detected\nold\n" in done.log
    )
    engine.request = {"buildpacks": [{"url": repository.url}]}
    assert "-----> Toying" in engine.run({"x": ""}).log


def test_a_buildpack_from_an_archive_hides_its_token(engine: Engine) -> None:
    files = {"pack/bin/detect*": DETECT, "pack/bin/compile*": COMPILE, "pack/bin/release*": RELEASE}
    engine.stored("pack.tgz").write_bytes(pack(files))
    url = engine.objects.url("pack.tgz")
    engine.request = {"buildpacks": [{"url": f"{url}?token=secret"}]}
    engine.objects.folder.joinpath("pack.tgz?token=secret").write_bytes(pack(files))
    done = engine.run({"x": ""})
    assert done.code == 0
    assert done.result["buildpacks"] == [url]
    assert "secret" not in done.log


def test_a_hostile_buildpack_archive(engine: Engine) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        tar.addfile(tarfile.TarInfo("../../escaped"))
    engine.stored("pack.tgz").write_bytes(buffer.getvalue())
    engine.request = {"buildpacks": [{"url": engine.objects.url("pack.tgz")}]}
    reason, message = engine.run({"x": ""}).failure
    assert reason == "BuildpackInvalid"
    assert "'..'" in message
