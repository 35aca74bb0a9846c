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
from haikube.build.source import SUBMODULES


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


LISTING = "#!/bin/sh\ncd $1 && ls -A . ../../packages/shared\n"
MONOREPO = {"apps/web/Procfile": "web: x\n", "packages/shared/it.py": "", "apps/admin/x": ""}


@pytest.mark.parametrize("path", ["apps/web", "apps/web/", "./apps//web"])
def test_an_app_in_a_folder_has_the_rest_of_the_source_around_it(engine: Engine, path: str) -> None:
    engine.buildpack(compile=LISTING)
    archive = engine.stored("source")
    archive.write_bytes(pack(MONOREPO))
    declared = {"digest": digest_of(archive), "sizeBytes": archive.stat().st_size}
    engine.request = {"source": {"archive": declared, "path": path}}
    done = engine.run()
    assert done.code == 0, done.log
    assert ".:\nProcfile\n\n../../packages/shared:\nit.py\n" in done.log
    assert set(engine.slug()) == {"./app", "./app/Procfile"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("../x", "'..'"),
        ("/etc", "absolute"),
        ("missing", "is no folder of the source"),
        ("apps/web/Procfile", "is no folder of the source"),
    ],
)
def test_a_path_that_is_no_folder(engine: Engine, path: str, words: str) -> None:
    archive = engine.stored("source")
    archive.write_bytes(pack(MONOREPO))
    declared = {"digest": digest_of(archive), "sizeBytes": archive.stat().st_size}
    engine.request = {"source": {"archive": declared, "path": path}}
    reason, message = engine.run().failure
    assert reason == "SourceInvalid"
    assert words in message


LINKING = """#!/bin/sh
cd $1
mkdir modules ../../packages/shared/deep
ln -s ../../../packages/shared modules/shared
ln -s ../../packages/shared/it.py it.py
ln -s it.py own
ln -s ../nowhere dangling
ln -s ../../.. up
ln -s ../it.py ../../packages/shared/deep/near
ln -s ../../other/far.py ../../packages/shared/deep/far
ln -s .. ../../packages/shared/deep/loop
ln -s ../../packages/shared/deep ../../packages/shared/again
"""


def test_links_to_the_rest_of_the_source_become_copies(engine: Engine) -> None:
    engine.buildpack(compile=LINKING)
    files = {**MONOREPO, "packages/other/far.py": "far"}
    archive = engine.stored("source")
    archive.write_bytes(pack(files))
    declared = {"digest": digest_of(archive), "sizeBytes": archive.stat().st_size}
    engine.request = {"source": {"archive": declared, "path": "apps/web"}}
    done = engine.run()
    assert done.code == 0, done.log
    assert "Copying what 3 links take from outside the app's folder" in done.log
    slug = engine.slug()
    assert slug["./app/it.py"].isreg()
    assert slug["./app/modules/shared/it.py"].isreg()
    assert slug["./app/modules/shared/deep/far"].isreg()
    kept = {name: info.linkname for name, info in slug.items() if info.issym()}
    assert kept == {
        "./app/dangling": "../nowhere",
        "./app/up": "../../..",
        "./app/modules/shared/again": "../../packages/shared/deep",
        "./app/modules/shared/deep/near": "../it.py",
        "./app/modules/shared/deep/loop": "..",
    }


POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 12\n"


def test_pointers_of_git_lfs_are_counted_and_named(engine: Engine) -> None:
    engine.buildpack()
    attributes = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
    done = engine.run({"a/.gitattributes": attributes, "a/model.bin": POINTER, "b.txt": "x" * 200})
    assert done.code == 0
    assert " !     1 file is a pointer of Git LFS, without its content: a/model.bin\n" in done.log
    many = {f"{number:02}.bin": POINTER for number in range(12)}
    done = engine.run({".gitattributes": attributes, **many})
    assert "12 files are pointers of Git LFS, without its content: 00.bin, 01.bin" in done.log
    assert "09.bin and 2 more\n" in done.log


def test_an_app_without_lfs_is_not_searched_for_pointers(engine: Engine) -> None:
    engine.buildpack()
    assert "LFS" not in engine.run({"docs/pointer.txt": POINTER}).log


def pushed(engine: Engine, note: str, **files: str) -> None:
    """Put in what the receiver makes of a commit with submodules."""
    engine.stored("source").write_bytes(pack({SUBMODULES: note, **files}))


def modules(url: str, path: str = "vendor/lib") -> str:
    return f'[submodule "lib"]\n\tpath = {path}\n\turl = {url}\n'


def test_submodules_of_a_push_are_fetched(engine: Engine, repository: Repository) -> None:
    engine.buildpack(compile="#!/bin/sh\ncat $1/vendor/lib/greeting; ls -A $1 $1/vendor/lib\n")
    first = repository.commit(greeting="hello\n")
    repository.commit(greeting="newer\n")
    note = f"{first} vendor/lib\n{first} stray"
    pushed(engine, note, **{"Procfile": "web: x\n", ".gitmodules": modules(repository.url)})
    done = engine.run()
    assert done.code == 0, done.log
    assert "-----> Git submodules detected, installing\n       vendor/lib\n" in done.log
    assert "       stray: not in .gitmodules\n" in done.log
    assert "hello\n" in done.log
    assert {"./app/vendor/lib/greeting", "./app/Procfile"} <= set(engine.slug())
    assert not [name for name in engine.slug() if ".git" in name]


@pytest.mark.parametrize("url", ["git@github.com:a/b.git", "../lib.git", "file:///etc", "missing"])
def test_a_submodule_that_cannot_be_had(engine: Engine, repository: Repository, url: str) -> None:
    commit = repository.commit(x="x")
    where = repository.url.replace("app.git", "none.git") if url == "missing" else url
    pushed(engine, f"{commit} vendor/lib", **{".gitmodules": modules(where)})
    reason, message = engine.run().failure
    assert reason == "SourceUnavailable"
    assert "must be public, and .gitmodules must name them by http" in message


def test_links_of_a_submodule_are_judged(engine: Engine, repository: Repository) -> None:
    (repository.work / "out").symlink_to("../../../../etc/passwd")
    commit = repository.commit(x="x")
    pushed(engine, f"{commit} vendor/lib", **{".gitmodules": modules(repository.url)})
    engine.buildpack()
    done = engine.run()
    assert done.code == 0
    assert " !     The link vendor/lib/out was left out: it leads out of the source" in done.log


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
        ({"ref": "main", "subPath": "missing"}, "SourceInvalid", "no folder of the source"),
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


def test_links_of_a_repository_that_lead_out_are_left_out(
    engine: Engine, repository: Repository
) -> None:
    (repository.work / "out").symlink_to("../../etc/passwd")
    repository.commit(file="x")
    engine.buildpack()
    source(engine, url=repository.url, ref="main")
    done = engine.run()
    assert done.code == 0
    assert " !     The link out was left out: it leads out of the source" in done.log
    assert not (engine.layout.build_dir / "out").is_symlink()


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
