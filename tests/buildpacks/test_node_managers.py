"""Which package manager a Node.js app gets, and what it is told, in bash alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from buildpacks.nodelocks import PARTS, given
from buildpacks.shell import Shell


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


@pytest.mark.parametrize(
    ("package", "tried", "warned"),
    [
        ("@yarnpkg/cli-dist@3.8.4", ["3.8.4", "~3.8.4"], True),
        ("@yarnpkg/cli-dist@>=9 <10", [">=9 <10"], False),
        ("yarn@1.99.0", ["1.99.0"], False),
        ("pnpm@10.0.99", ["10.0.99"], False),
    ],
)
def test_a_release_that_the_registry_lacks(
    node: Shell, package: str, tried: list[str], *, warned: bool
) -> None:
    line = (
        'with_npm() { echo "${*: -1}" >>"$BUILD_DIR/tried"; [[ ${*: -1} == *~* ]]; }\n'
        f'install_manager "{package}" /node'
    )
    shown = node.run(line, *PARTS, "runtime", code=0 if warned else 77)
    assert ("Yarn 3.8.4 is not in the registry: a later one" in shown) is warned
    seen = (node.place / "build" / "tried").read_text().splitlines()
    assert [each.rpartition("@")[2] for each in seen] == tried


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
