"""Which package manager a Node.js app gets, and what it is told, in bash alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from buildpacks.shell import Shell

CLASSIC = "# yarn lockfile v1\n"
LOCKS = {
    "classic": {"yarn.lock": CLASSIC},
    "yarn 2": {"yarn.lock": "__metadata:\n  version: 4\n  cacheKey: 7\n"},
    "yarn 3": {"yarn.lock": "# made\n\n__metadata:\n  version: 6\n  cacheKey: 8\n\nx: y\n"},
    "yarn 4": {"yarn.lock": "__metadata:\n  version: 8\n  cacheKey: 10\n"},
    "empty": {"yarn.lock": ""},
    "pnpm 7": {"pnpm-lock.yaml": "lockfileVersion: 5.4\n"},
    "pnpm 8": {"pnpm-lock.yaml": "lockfileVersion: '6.0'\n"},
    "pnpm 9": {"pnpm-lock.yaml": "lockfileVersion: '9.0'\n"},
    "npm": {"package-lock.json": "{}"},
    "none": {},
}
PARTS = ("package", "range", "manager")


@pytest.fixture
def node(tmp_path: Path) -> Shell:
    return Shell(tmp_path, "nodejs")


def given(node: Shell, document: Mapping[str, object], lock: str) -> None:
    node.write({"package.json": json.dumps(document), **LOCKS[lock]})


@pytest.mark.parametrize(
    ("lock", "document", "package"),
    [
        ("classic", {}, "yarn@1.22.22"),
        ("classic", {"engines": {"yarn": ">=1.22"}}, "yarn@>=1.22"),
        ("classic", {"engines": {"yarn": "*"}}, "yarn@*"),
        ("classic", {"packageManager": "yarn@1.22.19"}, "yarn@1.22.19"),
        ("yarn 3", {}, "@yarnpkg/cli-dist@3"),
        ("yarn 4", {}, "@yarnpkg/cli-dist@4"),
        ("yarn 4", {"engines": {"yarn": ">=1.22"}}, "@yarnpkg/cli-dist@4"),
        ("yarn 4", {"engines": {"yarn": "~4.5.0"}}, "@yarnpkg/cli-dist@~4.5.0"),
        ("yarn 3", {"engines": {"yarn": ">=3"}}, "@yarnpkg/cli-dist@3"),
        ("yarn 3", {"engines": {"yarn": "3.x || 4.x"}}, "@yarnpkg/cli-dist@3"),
        ("yarn 3", {"engines": {"yarn": ">=3.2.0 <4"}}, "@yarnpkg/cli-dist@>=3.2.0 <4"),
        ("yarn 3", {"packageManager": "yarn@4.5.0"}, "@yarnpkg/cli-dist@4.5.0"),
        ("yarn 2", {}, "@yarnpkg/cli-dist@2"),
        ("yarn 2", {"engines": {"yarn": "^2.4.0"}}, "@yarnpkg/cli-dist@^2.4.0"),
        ("yarn 2", {"packageManager": "yarn@2.4.3"}, "yarn@2.4.3"),
        ("yarn 4", {"packageManager": "yarn@4.5.0+sha512.abc"}, "@yarnpkg/cli-dist@4.5.0"),
        ("empty", {"packageManager": "yarn@4.5.0"}, "@yarnpkg/cli-dist@4.5.0"),
        ("empty", {"engines": {"yarn": "1.x"}}, "yarn@1.x"),
        ("empty", {"engines": {"yarn": ">=3"}}, "@yarnpkg/cli-dist@4"),
        ("pnpm 7", {}, "pnpm@7"),
        ("pnpm 8", {}, "pnpm@8"),
        ("pnpm 8", {"engines": {"pnpm": ">=8"}}, "pnpm@8"),
        ("pnpm 8", {"packageManager": "pnpm@8.15.9"}, "pnpm@8.15.9"),
        ("pnpm 9", {}, "pnpm@10"),
        ("pnpm 9", {"engines": {"pnpm": ">=8"}}, "pnpm@>=8"),
        ("pnpm 9", {"packageManager": "pnpm@11.5.0"}, "pnpm@11.5.0"),
        ("npm", {}, ""),
        ("npm", {"engines": {"npm": "10.x"}}, "npm@10.x"),
        ("npm", {"engines": "node 20"}, ""),
        ("none", {}, ""),
        ("none", {"packageManager": "pnpm@9.1.0"}, "pnpm@9.1.0"),
        ("none", {"packageManager": "yarn@4.5.0"}, "@yarnpkg/cli-dist@4.5.0"),
        ("none", {"packageManager": "npm@10.8.0"}, "npm@10.8.0"),
        ("none", {"packageManager": "bun@1.2.0"}, ""),
    ],
)
def test_which_package_manager_an_app_gets(
    node: Shell, lock: str, document: Mapping[str, object], package: str
) -> None:
    given(node, document, lock)
    assert node.run('manager_package "$(package_manager)"', *PARTS) == package


@pytest.mark.parametrize(
    ("lock", "document", "words"),
    [
        (
            "yarn 4",
            {"packageManager": "yarn@1.22.22"},
            "package.json asks for yarn 1.22.22, but yarn.lock was written by Yarn 2 or later.",
        ),
        (
            "classic",
            {"engines": {"yarn": "^4.0.0"}},
            "package.json asks for yarn ^4.0.0, but yarn.lock was written by Yarn 1.",
        ),
        (
            "pnpm 8",
            {"packageManager": "pnpm@10.0.0"},
            "package.json asks for pnpm 10.0.0, but pnpm-lock.yaml was written by pnpm 8.",
        ),
        (
            "pnpm 9",
            {"engines": {"pnpm": "8.x"}},
            "package.json asks for pnpm 8.x, but pnpm-lock.yaml was written by pnpm 10.",
        ),
    ],
)
def test_a_lock_file_that_the_manager_does_not_read(
    node: Shell, lock: str, document: Mapping[str, object], words: str
) -> None:
    given(node, document, lock)
    shown = node.run('x=$(manager_package "$(package_manager)")', *PARTS, code=77)
    assert f" !     {words}\n" in shown
    assert "and commit" in shown


def test_a_manager_that_is_not_that_of_the_lock_file_is_warned_of(node: Shell) -> None:
    given(node, {"packageManager": "pnpm@9.1.0"}, "npm")
    shown = node.run("check_manager npm", *PARTS)
    assert (
        "packageManager of package.json says pnpm@9.1.0, but the lock file is that of npm" in shown
    )
    assert "delete package-lock.json, or correct packageManager" in shown


def test_a_manager_that_nobody_knows_here_is_warned_of(node: Shell) -> None:
    given(node, {"packageManager": "bun@1.2.0"}, "none")
    shown = node.run("check_manager npm", *PARTS)
    assert "packageManager of package.json says bun@1.2.0, which is not known here: npm is" in shown


@pytest.mark.parametrize(("engine", "ok"), [("4.x", True), (">=1", True), ("1.x", False)])
def test_contradictions_of_package_json(node: Shell, engine: str, *, ok: bool) -> None:
    given(node, {"packageManager": "yarn@4.5.0", "engines": {"yarn": engine}}, "yarn 4")
    shown = node.run("check_manager yarn", *PARTS, code=0 if ok else 77)
    said = "contradicts itself: packageManager says yarn@4.5.0, engines.yarn says 1.x."
    assert (said in shown) is not ok


RELEASE = ".yarn/releases/yarn.cjs"


@pytest.mark.parametrize(
    ("file", "line"),
    [
        *((".yarnrc.yml", f"yarnPath: {quote}{RELEASE}{quote}") for quote in ("", '"', "'")),
        (".yarnrc.yml", f"yarnPath: ./{RELEASE}\r"),
        (".yarnrc", f'yarn-path "./{RELEASE}"'),
        (".yarnrc", f"yarn-path {RELEASE}\r"),
    ],
)
def test_a_release_of_yarn_that_git_ignores_is_named(node: Shell, file: str, line: str) -> None:
    node.write({file: f"# ours\n\n{line}\n"})
    shown = node.run("require_yarn_release", *PARTS, code=77)
    assert f" !     {file} names the Yarn " in shown
    assert f"{RELEASE}, which is not in the repository.\n" in shown
    assert "git add -f " in shown
    (node.place / "build" / RELEASE).parent.mkdir(parents=True)
    node.write({RELEASE: ""})
    assert node.run("require_yarn_release", *PARTS) == ""


@pytest.mark.parametrize(
    ("range_", "majors"),
    [
        ("", "0123"),
        ("*", "0123"),
        ("latest", "0123"),
        ("1", "1"),
        ("1.x", "1"),
        ("^1.2.3", "1"),
        ("~2.1", "2"),
        ("v2", "2"),
        ("=2.0.0", "2"),
        (">=1", "123"),
        (">= 1.5", "123"),
        (">1", "23"),
        (">1.2", "123"),
        ("<2", "01"),
        ("<2.0.0", "01"),
        ("<2.1", "012"),
        ("<=2", "012"),
        (">=1 <3", "12"),
        ("1 - 2", "12"),
        ("1.x || 3.x", "13"),
        ("^0.5 || >=2", "023"),
    ],
)
def test_which_majors_a_range_has(node: Shell, range_: str, majors: str) -> None:
    line = f"for m in 0 1 2 3; do ! range_allows '{range_}' $m || printf $m; done"
    assert node.run(line, "range") == majors


INSTALLED = {
    "yarn": 'yarn() { [[ $1 == --version ]] && echo 1.22.22 || echo "yarn $*"; }',
    "pnpm": 'pnpm() { [[ $1 == --version ]] && echo "$PNPM" || echo "pnpm $*"; }',
}
INSTALL = (*PARTS, "runtime", "failure", "install")


@pytest.mark.parametrize(
    ("lock", "manager", "words"),
    [
        ("classic", "yarn", "yarn install --frozen-lockfile"),
        ("none", "yarn", "yarn install --no-lockfile"),
        ("pnpm 9", "pnpm", "pnpm install --frozen-lockfile --prod=false"),
        ("none", "pnpm", "pnpm install --no-frozen-lockfile --prod=false"),
    ],
)
def test_without_a_lock_file_none_is_kept_to(
    node: Shell, lock: str, manager: str, words: str
) -> None:
    given(node, {}, lock)
    shown = node.run(f"{INSTALLED[manager]}\ninstall_with_{manager}", *INSTALL, PNPM="10.0.0")
    assert words in shown


@pytest.mark.parametrize(
    ("version", "files", "scripts", "words"),
    [
        ("10.1.0", {}, {}, "pnpm prune --prod --ignore-scripts\n"),
        ("8.15.5", {}, {}, "pnpm prune --prod\n"),
        ("8.15.5", {}, {"prepare": "x"}, "pnpm 8.15.5 would run the app's install scripts again"),
        ("10.1.0", {"pnpm-workspace.yaml": "packages:\n  - a\n"}, {}, "cannot prune a workspace"),
        ("10.1.0", {"pnpm-workspace.yaml": "onlyBuilt: []\n"}, {}, "pnpm prune --prod --ignore"),
    ],
)
def test_how_pnpm_prunes(
    node: Shell, version: str, files: dict[str, str], scripts: dict[str, str], words: str
) -> None:
    given(node, {"scripts": scripts}, "pnpm 9")
    node.write(files)
    shown = node.run(f"{INSTALLED['pnpm']}\nprune_with_pnpm", *INSTALL, PNPM=version)
    assert words in shown


FOLDERS = ("package", "runtime", "folders")


def test_folders_of_the_app_are_kept_from_build_to_build(node: Shell) -> None:
    wanted = [".next/cache", "./out/", "node_modules", "node_modules/.cache", "/etc", "../up", ""]
    given(node, {"cacheDirectories": wanted}, "none")
    build = node.place / "build"
    (build / ".heroku/node").mkdir(parents=True)
    (build / ".heroku/node/version").write_text("24.1.0")
    assert node.run("cached_folders", *FOLDERS).split() == [
        ".next/cache",
        "node_modules/.cache",
        "out",
    ]
    for name in (".next/cache", "node_modules/.cache"):
        (build / name).mkdir(parents=True)
        (build / name / "made").write_text(name)
    node.run("keep_folders", *FOLDERS)
    archives = sorted((node.place / "cache" / "node-folders").glob("*.tar.zst"))
    before = [each.stat().st_mtime_ns for each in archives]
    assert len(before) == 2
    node.run("keep_folders", *FOLDERS)
    assert [each.stat().st_mtime_ns for each in archives] == before

    node.run('rm -rf "$BUILD_DIR/.next" "$BUILD_DIR/node_modules"', *FOLDERS)
    assert "Restored from the cache: .next/cache\n" in node.run("restore_folders before", *FOLDERS)
    assert not (build / "node_modules").exists()
    node.run("restore_folders after", *FOLDERS)
    assert (build / "node_modules/.cache/made").read_text() == "node_modules/.cache"
    assert "is part of the source" in node.run("restore_folders before", *FOLDERS)

    node.write({"NODE_MODULES_CACHE": "false"}, "env")
    assert node.run("cached_folders", *FOLDERS) == ""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (
            " ERR_PNPM_IGNORED_BUILDS  Ignored build scripts: esbuild@0.25.0",
            "pnpm runs no install script of a package that nobody approved (see above).",
        ),
        (
            " ERR_PNPM_LOCKFILE_BREAKING_CHANGE  Lockfile /build/pnpm-lock.yaml not compatible",
            "This pnpm does not read the app's pnpm-lock.yaml (see above).",
        ),
        ("The lockfile would have been modified by this install", "The lock file does not fit"),
        ("npm error code EBADDEVENGINES", "devEngines of package.json does not allow what this"),
        ("npm error code ETARGET", "A package is not available in the version that is asked for"),
        ("npm error something", "The packages of the app could not be installed (see above)."),
    ],
)
def test_what_a_manager_fails_with_is_explained(node: Shell, said: str, words: str) -> None:
    given(node, {}, "pnpm 9")
    node.write({"log": f"{said}\n"})
    shown = node.run('explain_failure "$BUILD_DIR/log"', *PARTS, "failure", code=77)
    assert f" !     {words}" in shown


def archives(node: Shell, *names: str) -> Path:
    folder = node.place / "build" / ".yarn" / "cache"
    folder.mkdir(parents=True)
    for name in names:
        (folder / name).touch()
    return folder


def test_archives_that_no_dyno_reads_stay_out_of_the_slug(node: Shell) -> None:
    folder = archives(node, "a-npm-1-x.zip", "b-npm-1-y.zip", "c-npm-1-z.zip", ".gitignore")
    node.write({".pnp.cjs": "./.yarn/cache/a-npm-1-x.zip/", ".pnp.data.json": "c-npm-1-z.zip"})
    node.run("drop_archives", *INSTALL)
    assert sorted(path.name for path in folder.iterdir()) == [
        ".gitignore",
        "a-npm-1-x.zip",
        "c-npm-1-z.zip",
    ]


def test_with_node_modules_no_dyno_reads_any(node: Shell) -> None:
    folder = archives(node, "a-npm-1-x.zip")
    node.run("drop_archives", *INSTALL)
    assert not folder.exists()
