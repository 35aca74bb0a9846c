"""What a package manager of Node.js is told, what is kept of its work, and what it fails with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from buildpacks.nodelocks import PARTS, given
from buildpacks.shell import Shell

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
        ("pnpm 9", "pnpm", "pnpm install --frozen-lockfile --no-prod"),
        ("none", "pnpm", "pnpm install --no-frozen-lockfile --no-prod"),
    ],
)
def test_without_a_lock_file_none_is_kept_to(
    node: Shell, lock: str, manager: str, words: str
) -> None:
    given(node, {}, lock)
    shown = node.run(f"{INSTALLED[manager]}\ninstall_with_{manager}", *INSTALL, PNPM="10.0.0")
    assert words in shown


def test_yarn_1_heeds_no_engines_of_packages(node: Shell) -> None:
    given(node, {"devDependencies": {"x": "1"}}, "classic")
    (node.place / "build" / "node_modules").mkdir()
    line = f"{INSTALLED['yarn']}\ninstall_with_yarn\nNODE_ENV=production\nprune_packages yarn"
    shown = node.run(line, *INSTALL)
    runs = [each for each in shown.splitlines() if "yarn install --" in each]
    assert len(runs) == 2
    assert all("--ignore-engines" in each for each in runs)


@pytest.mark.parametrize(
    ("version", "files", "scripts", "words"),
    [
        ("10.1.0", {}, {}, "pnpm prune --prod --ignore-scripts\n"),
        ("8.15.5", {}, {}, "pnpm prune --prod\n"),
        ("8.15.5", {}, {"prepare": "x"}, "pnpm 8.15.5 would run the app's install scripts again"),
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


WORKSPACE = """
manager_run() { echo "$*"; }
pnpm() {
  case $1 in
  --version) echo 10.1.0 ;;
  list) printf '[{"path": "%s"}, {"path": "%s/a"}]' "$BUILD_DIR" "$BUILD_DIR" ;;
  esac
}
"""


@pytest.mark.parametrize("scripts", [{}, {"build": "tsc"}, {"preinstall": "x"}, {"prepare": "x"}])
def test_a_workspace_of_pnpm_is_pruned_unless_its_scripts_would_run_again(
    node: Shell, scripts: dict[str, str]
) -> None:
    given(node, {}, "pnpm 9")
    build = node.place / "build"
    for folder in ("node_modules/x", "a/node_modules/x"):
        (build / folder).mkdir(parents=True)
    member = json.dumps({"scripts": scripts, "devDependencies": {"x": "1"}})
    node.write({"pnpm-workspace.yaml": "packages:\n  - a\n", "a/package.json": member})
    shown = node.run(f"{WORKSPACE}\nNODE_ENV=production\nprune_packages pnpm", *INSTALL)
    pruned = not {"preinstall", "prepare"} & set(scripts)
    assert ("pnpm install --prod --frozen-lockfile --prefer-offline" in shown) is pruned
    told = (
        " !     a/package.json has install scripts, which would run again to prune the workspace:"
    )
    assert (told in shown) is not pruned
    assert (build / "node_modules").exists() is not pruned
    assert (build / "a/node_modules").exists() is not pruned


@pytest.mark.parametrize(
    ("lock", "wish", "words"),
    [
        ("npm", "", "npm ci --include=dev"),
        ("npm", "false", "npm ci --include=dev"),
        ("npm", "true", "npm install --include=dev"),
        ("none", "", "npm install --include=dev"),
    ],
)
def test_an_app_may_want_npm_install_with_its_lock_file(
    node: Shell, lock: str, wish: str, words: str
) -> None:
    given(node, {}, lock)
    node.write({"USE_NPM_INSTALL": wish} if wish else {}, "env")
    shown = node.run('manager_run() { echo "$*"; }\ninstall_with_npm', *INSTALL)
    assert f"\n{words}" in shown
    assert ("--no-save" in shown) is ("npm install" in words)
    assert f"Installing node modules ({' '.join(words.split()[:2])})" in shown


@pytest.mark.parametrize(
    ("lock", "wish", "dev", "pruned"),
    [
        ("npm", {}, "--include=dev", True),
        ("npm", {"NPM_CONFIG_PRODUCTION": "false"}, "--include=dev", False),
        ("npm", {"NPM_CONFIG_PRODUCTION": "true"}, "--omit=dev", False),
        ("npm", {"YARN_PRODUCTION": "true"}, "--include=dev", True),
        ("classic", {}, "YARN_PRODUCTION=false", True),
        ("classic", {"YARN_PRODUCTION": "true"}, "YARN_PRODUCTION=true", False),
    ],
)
def test_an_app_may_want_no_development_packages_at_all(
    node: Shell, lock: str, wish: dict[str, str], dev: str, *, pruned: bool
) -> None:
    given(node, {"devDependencies": {"x": "1"}}, lock)
    node.write(wish, "env")
    (node.place / "build" / "node_modules").mkdir()
    manager = "npm" if lock == "npm" else "yarn"
    stub = 'manager_run() { echo "YARN_PRODUCTION=${YARN_PRODUCTION-} $*"; }\nyarn() { echo 1.22; }'
    line = f"{stub}\ninstall_with_{manager}\nNODE_ENV=production\nprune_packages {manager}"
    shown = node.run(line, *INSTALL)
    assert dev in shown
    assert ("npm prune" in shown or "--production" in shown) is pruned
    assert ("Skipping because a config var says so" in shown) is not pruned


@pytest.mark.parametrize(("lock", "told"), [("classic", "[false false]"), ("yarn 4", "[false ]")])
def test_scripts_that_install_are_told_what_the_app_wants(
    node: Shell, lock: str, told: str
) -> None:
    given(node, {}, lock)
    node.write({"NPM_CONFIG_PRODUCTION": "false", "YARN_PRODUCTION": "false"}, "env")
    seen = "sh -c 'echo \"[$NPM_CONFIG_PRODUCTION $YARN_PRODUCTION]\"'"
    assert told in node.run(f"prepare_environment\ntool {seen}", "package", "dyno")


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
