"""The shared library and the decisions of python and nodejs, in bash alone: no stack."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "buildpacks"


class Shell:
    """Runs a line of bash in the surroundings of a buildpack's compile."""

    def __init__(self, place: Path, buildpack: str) -> None:
        self.place = place
        self.buildpack = buildpack
        for name in ("build", "cache", "env", "tmp", "packs"):
            (place / name).mkdir()
        (place / "packs" / "lib").symlink_to(ROOT / "lib")
        (place / "packs" / buildpack / "bin").mkdir(parents=True)
        if (ROOT / buildpack / "lib").is_dir():
            (place / "packs" / buildpack / "lib").symlink_to(ROOT / buildpack / "lib")

    def write(self, files: Mapping[str, str], where: str = "build") -> None:
        for name, text in files.items():
            (self.place / where / name).write_text(text)

    def run(self, line: str, *parts: str, code: int = 0, **env: str) -> str:
        """Return what the line printed, its errors included."""
        script = self.place / "packs" / self.buildpack / "bin" / "script"
        sources = "".join(f'source "$BUILDPACK_DIR/lib/{part}.sh"\n' for part in parts)
        script.write_text(
            'source "$(dirname -- "${BASH_SOURCE[0]}")/../../lib/buildpack.sh"\n'
            f'buildpack_start "$@"\n{sources}{line}\n'
        )
        folders = [self.place / name for name in ("build", "cache", "env")]
        done = subprocess.run(
            ["bash", script, *folders],
            env={
                "PATH": os.environ["PATH"],
                "TMPDIR": str(self.place / "tmp"),
                "HOME": str(self.place / "home"),
                **env,
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout
        return done.stdout


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], Shell]:
    return lambda buildpack: Shell(tmp_path, buildpack)


@pytest.fixture
def lib(tmp_path: Path) -> Shell:
    return Shell(tmp_path, "toy")


def test_a_failure_is_marked_and_ends_the_script(lib: Shell) -> None:
    assert lib.run("fail 'no such thing: x' 'do y'\necho never", code=77) == (
        "\n !     no such thing: x\n !     do y\n\n"
    )


def test_a_failure_in_a_substitution_is_said_once(lib: Shell) -> None:
    shown = lib.run("f() { fail 'wrong'; }\nx=$(f)\necho never", code=77)
    assert shown == "\n !     wrong\n\n"


def test_an_error_nobody_handled_names_its_line(lib: Shell) -> None:
    shown = lib.run("f() {\n  ls /no/such/folder\n}\nf", code=77)
    assert " !     script line 4: ls /no/such/folder" in shown


def test_steps_and_indented_output(lib: Shell) -> None:
    assert lib.run("topic T\ndetail d\nrun echo out") == "-----> T\n       d\n       out\n"


def test_a_line_is_indented_as_soon_as_it_is_there(lib: Shell) -> None:
    wait = "for _ in {1..100}; do [[ ! -s seen ]] || { echo two; break; }; sleep 0.05; done"
    shown = lib.run(
        f'cd "$TMPDIR"\n{{ echo one; {wait}; }} | indent | {{ read -r first; echo x >seen; '
        'echo "$first"; cat; }'
    )
    assert shown == "one\n       two\n"


def test_quiet_commands_speak_when_they_fail(lib: Shell) -> None:
    assert lib.run("quietly echo nothing\nquietly sh -c 'echo why; exit 3' || echo code $?") == (
        "       why\ncode 3\n"
    )


def test_config_vars_are_exported_but_those_that_bend_the_build(lib: Shell) -> None:
    lib.write({"GOOD": "a b\n\n", "PATH": "/evil", "LD_PRELOAD": "x", "SKIP": "y"}, "env")
    shown = lib.run('export_env_dir "^SKIP$"\nprintf "[%s]" "$GOOD" "${LD_PRELOAD-}" "${SKIP-}"')
    assert shown == "[a b\n\n][][]"


SCRIPTS = [path for path in ROOT.rglob("*") if path.is_file() and "samples" not in path.parts]
ASSIGNED = re.compile(r"(?:^|[ (;])([A-Z][A-Z0-9_]+)=")
BENDING = ["TAR_OPTIONS", "http_proxy", "ALL_PROXY", "CDPATH", "GREP_OPTIONS", "GZIP"]
OF_BASH = ["UID", "EUID", "PPID", "RANDOM", "SECONDS", "GROUPS", "DIRSTACK", "PIPESTATUS", "OPTIND"]
BLOCKED = re.compile(
    r"HAIKUBE_.*|BUILDPACK_.*|BASH_.*|BUILD_DIR|CACHE_DIR|ENV_DIR|STACK|TMPDIR|GIT_DIR"
    r"|HOME|LANG|IFS|ENV|[A-Z_]*PATH|SSL_CERT_FILE|CURL_CA_BUNDLE"
)


def names_of_scripts() -> list[str]:
    """Return every name that a script gives a value, and some of bash's own."""
    texts = [path.read_bytes().decode(errors="replace") for path in SCRIPTS]
    found = {name for text in texts for name in ASSIGNED.findall(text)}
    assert {"POETRY_VERSION", "UV_VERSION", "EXPLAINED", "TREE_KEY", "RUN_STATUS"} <= found
    return sorted(name for name in {*found, *OF_BASH, *BENDING} if not BLOCKED.fullmatch(name))


@pytest.mark.parametrize(
    "buildpack", ["clojure", "go", "gradle", "java", "nodejs", "php", "python", "ruby", "scala"]
)
def test_no_config_var_is_a_variable_of_the_scripts(
    shell: Callable[[str], Shell], buildpack: str
) -> None:
    made, names = shell(buildpack), names_of_scripts()
    made.write({name: f"value of {name}" for name in names}, "env")
    parts = sorted(path.stem for path in (ROOT / buildpack / "lib").glob("*.sh"))
    jvm = {"clojure", "gradle", "java", "scala"}
    shared = ["jvm", "maven"] if buildpack in jvm else []
    lines = [f'source "$HAIKUBE_LIB/{part}.sh"' for part in shared]
    lines += ["before=$(readonly -p)", "export_env_dir", '[[ $before == "$(readonly -p)" ]]']
    shown = made.run("\n".join([*lines, "run env"]), *parts)
    assert [name for name in names if f"       {name}=value of {name}\n" not in shown] == []


def test_what_bends_a_script_reaches_the_tools_alone(lib: Shell) -> None:
    lib.write({"TAR_OPTIONS": "--nonsense", "OWN": "x"}, "env")
    line = (
        "export_env_dir\ntar -cf - -T /dev/null >/dev/null\nrun sh -c 'echo \"$TAR_OPTIONS $OWN\"'"
    )
    assert lib.run(line) == "       --nonsense x\n"


@pytest.mark.parametrize("name", ["http_proxy", "HTTPS_PROXY", "all_proxy", "npm_config_proxy"])
def test_a_proxy_that_does_not_answer_is_named_first(lib: Shell, name: str) -> None:
    lib.write({name: "http://me:secret@127.0.0.1:9/"}, "env")
    shown = lib.run("export_env_dir\nfail 'Python 3.13 is not available.'", code=77)
    first = f" !     The config var {name} names the proxy 127.0.0.1:9, which does not answer from"
    assert shown.index(first) < shown.index("Python 3.13 is not available")
    assert f"heroku config:unset {name}" in shown
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://proxy.example.com", "proxy.example.com 80"),
        ("https://a:b@proxy.example.com", "proxy.example.com 443"),
        ("socks5h://proxy:9050", "proxy 9050"),
        ("proxy.example.com:3128", "proxy.example.com 3128"),
        ("http://[::1]:8080/", "::1 8080"),
        ("proxy", "proxy 1080"),
        ("no proxy at all", ""),
        ("", ""),
    ],
)
def test_where_a_proxy_is(lib: Shell, url: str, address: str) -> None:
    assert lib.run(f"proxy_address '{url}'") == address


def test_a_proxy_that_answers_is_not_spoken_of(lib: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        lib.write({"http_proxy": f"http://127.0.0.1:{server.getsockname()[1]}"}, "env")
        assert "proxy" not in lib.run("fail 'No.'", code=77)


def test_a_config_var_beats_the_platform_beats_the_default(lib: Shell) -> None:
    line = "setting BUILDPACK_X_SOURCE deb"
    assert lib.run(line) == "deb"
    assert lib.run(line, BUILDPACK_X_SOURCE="registry") == "registry"
    lib.write({"BUILDPACK_X_SOURCE": "upstream"}, "env")
    assert lib.run(line, BUILDPACK_X_SOURCE="registry") == "upstream"


def test_a_source_nobody_knows_is_refused(lib: Shell) -> None:
    lib.write({"BUILDPACK_NODE_SOURCE": "floppy"}, "env")
    shown = lib.run("runtime_source node registry registry upstream", code=77)
    assert "BUILDPACK_NODE_SOURCE is 'floppy'" in shown
    assert "Known are: registry upstream, or the URL" in shown


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("version_at_least 3.10 3.9 && echo yes", "yes\n"),
        ("version_at_least 3.9 3.10 || echo no", "no\n"),
        ("version_starts_with 3.13.5 3.1 || echo no", "no\n"),
        ("printf '%s\\n' 3.9.1 3.13.2 3.13.10 | version_newest 3.13", "3.13.10\n"),
        ("printf '%s\\n' 2.0 10.0 2.0 | version_list", "2.0, 10.0\n"),
        ("version_line 3.13.5 2", "3.13\n"),
    ],
)
def test_versions(lib: Shell, line: str, shown: str) -> None:
    assert lib.run(line) == shown


def test_a_tree_comes_back_from_the_cache_as_it_was(lib: Shell) -> None:
    lib.run(
        "mkdir -p $BUILD_DIR/t/deep && echo 1 >$BUILD_DIR/t/deep/f && ln -s f $BUILD_DIR/t/deep/l\n"
        "chmod 750 $BUILD_DIR/t/deep/f && touch -d @1000000000 $BUILD_DIR/t/deep/f\n"
        "cache_put tree/a one $BUILD_DIR/t"
    )
    archive = lib.place / "cache" / "tree" / "a.tar.zst"
    before = archive.stat().st_mtime_ns
    shown = lib.run(
        "cache_put tree/a one $BUILD_DIR/t\ncache_get tree/a one $BUILD_DIR/new\n"
        "echo changed >>$BUILD_DIR/new/deep/f\nstat -c %a $BUILD_DIR/new/deep/f\n"
        "readlink $BUILD_DIR/new/deep/l"
    )
    assert shown == "750\nf\n"
    assert archive.stat().st_mtime_ns == before
    assert lib.run("cache_get tree/a two $BUILD_DIR/other || echo gone") == "gone\n"
    assert not archive.exists()


def test_a_value_is_written_only_when_it_changes(lib: Shell) -> None:
    lib.run("cache_value version 3.13")
    file = lib.place / "cache" / "values" / "version"
    before = file.stat().st_mtime_ns
    assert lib.run("cache_value version 3.13\ncached_value version\ncached_value none") == "3.13\n"
    assert file.stat().st_mtime_ns == before


def test_a_download_with_another_checksum_leaves_nothing(lib: Shell) -> None:
    lib.write({"file": "content"})
    shown = lib.run('verify_sha256 "$BUILD_DIR/file" sha256:00 || echo refused')
    assert "sha256 of file is ed7002b4" in shown
    assert shown.endswith("refused\n")


def test_profile_scripts_let_config_vars_win(lib: Shell) -> None:
    shown = lib.run(
        "profile_default a LANG C.UTF-8\nprofile_set a NODE_HOME '$HOME/n'\nprofile_path a bin\n"
        "profile_default a EMPTY full\n"
        "HOME=/app LANG=cs_CZ.UTF-8 EMPTY= bash -c '. $BUILD_DIR/.profile.d/a.sh; "
        "echo $LANG $NODE_HOME ${PATH%%:*} [$EMPTY]'"
    )
    assert shown == "cs_CZ.UTF-8 /app/n /app/bin []\n"


def test_exports_reach_the_next_buildpack_whatever_they_hold(lib: Shell) -> None:
    lib.run("export_set VALUE \"it's \\$HOME\"\nexport_path '/with space/bin'")
    shown = subprocess.run(
        ["bash", "-c", '. packs/toy/export; printf "%s|%s" "$VALUE" "${PATH%%:*}"'],
        cwd=lib.place,
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == "it's $HOME|/with space/bin"


@pytest.mark.parametrize(
    ("given", "version_2", "version_1", "shown"),
    [
        ("512", "268435456", "268435456", "512"),
        ("", "268435456", None, "256"),
        ("", None, "1073741824", "1024"),
        ("", "268435456", "1073741824", "256"),
        ("", "max", "1073741824", "1024"),
        ("", "max", None, "none"),
        ("", None, "9223372036854771712", "none"),
        ("", "", None, "none"),
        ("", None, None, "none"),
    ],
)
def test_memory_is_what_the_platform_says_else_the_control_group(
    tmp_path: Path, given: str, version_2: str | None, version_1: str | None, shown: str
) -> None:
    (tmp_path / "memory").mkdir()
    for name, text in (("memory.max", version_2), ("memory/memory.limit_in_bytes", version_1)):
        if text is not None:
            (tmp_path / name).write_text(f"{text}\n")
    script = (ROOT / "lib/dyno/memory.sh").read_text().replace("/sys/fs/cgroup", str(tmp_path))
    done = subprocess.run(
        ["bash", "-euc", f'{script}\necho "${{MEMORY_AVAILABLE:-none}}"'],
        env={**os.environ, "MEMORY_AVAILABLE": given},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == shown


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"runtime.txt": "python-3.12.1\r\n"}, "3.12.1"),
        ({".python-version": "# ours\n\n 3.11 \n"}, "3.11"),
        ({"runtime.txt": "python-3.12", ".python-version": "3.11"}, "3.12"),
        ({"Pipfile.lock": '{"_meta": {"requires": {"python_version": "3.10"}}}'}, "3.10"),
        ({}, "3.13"),
    ],
)
def test_where_a_python_version_comes_from(
    shell: Callable[[str], Shell], files: Mapping[str, str], version: str
) -> None:
    python = shell("python")
    python.write(files)
    manager = "pipenv" if "Pipfile.lock" in files else "pip"
    shown = python.run(f"wanted_version {manager}", "version")
    assert shown.splitlines()[-1].endswith(version)


@pytest.mark.parametrize("content", [b"3.12\r\n", b"# ours\r\n\t3.12 # for now\r\n"])
def test_a_version_file_however_it_was_saved(shell: Callable[[str], Shell], content: bytes) -> None:
    python = shell("python")
    (python.place / "build" / ".python-version").write_bytes(content)
    assert python.run("python_version_file", "version") == "3.12"
    (python.place / "build" / "runtime.txt").write_bytes(b" python-3.12 \r\n")
    assert python.run("runtime_txt", "version") == "3.12"


DJANGO = """\
import os, sys, types
for name in ("django", "django.conf", "django.core", "django.core.management"):
    sys.modules[name] = types.ModuleType(name)
sys.modules["django.conf"].settings = types.SimpleNamespace(
    INSTALLED_APPS=["django.contrib.staticfiles"], STATIC_ROOT="static")
class ManagementUtility:
    def execute(self):
        print("collects in", os.getcwd(), "for", sys.argv[0], "beside", sys.path[0])
sys.modules["django.core.management"].ManagementUtility = ManagementUtility
"""


@pytest.mark.parametrize(
    ("files", "taken"),
    [
        (["manage.py", "demo/manage.py"], "manage.py"),
        (["b/manage.py", "a/deep/manage.py", "node_modules/manage.py"], "b/manage.py"),
        (["a/b/c/manage.py"], ""),
    ],
)
def test_the_nearest_manage_py_collects_from_the_root(
    shell: Callable[[str], Shell], files: list[str], taken: str
) -> None:
    python = shell("python")
    build = python.place / "build"
    for name in files:
        (build / name).parent.mkdir(parents=True, exist_ok=True)
        (build / name).write_text(
            "import django.core.management as m\nm.ManagementUtility().execute()\n"
        )
    (python.place / "site").mkdir()
    (python.place / "site" / "sitecustomize.py").write_text(DJANGO)
    shown = python.run(
        f"PYTHON=python3\nexport PYTHONPATH={python.place}/site\ncollect_static", "django"
    )
    if not taken:
        assert shown == ""
        return
    assert f"-----> $ python {taken} collectstatic --noinput\n" in shown
    beside = (build / taken).parent.resolve()
    assert f"collects in {build} for {taken} beside {beside}\n" in shown


@pytest.mark.parametrize(
    ("vars_", "files", "words"),
    [
        ({"DISABLE_COLLECTSTATIC": "1"}, [], "since DISABLE_COLLECTSTATIC is set"),
        ({}, [".heroku/collectstatic_disabled"], "a file .heroku/collectstatic_disabled"),
    ],
)
def test_static_files_are_not_collected_where_the_app_says_so(
    shell: Callable[[str], Shell], vars_: dict[str, str], files: list[str], words: str
) -> None:
    python = shell("python")
    (python.place / "build" / ".heroku").mkdir()
    python.write(dict.fromkeys(["manage.py", *files], ""))
    python.write(vars_, "env")
    (python.place / "site").mkdir()
    (python.place / "site" / "sitecustomize.py").write_text(DJANGO)
    shown = python.run(
        f"PYTHON=python3\nexport PYTHONPATH={python.place}/site\ncollect_static", "django"
    )
    assert shown.startswith("-----> Skipping Django collectstatic, ")
    assert words in shown


def test_a_python_version_sticks_from_build_to_build(shell: Callable[[str], Shell]) -> None:
    python = shell("python")
    python.run("cache_value python-version 3.11")
    assert "same major version as the last build: Python 3.11" in python.run(
        "wanted_version pip", "version"
    )


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"runtime.txt": "3.12"}, "runtime.txt says '3.12'"),
        ({".python-version": "3.11\n3.12\n"}, "holds: 3.11, 3.12"),
        ({".python-version": "pypy3.10"}, "'pypy3.10', which is not a version"),
        ({".python-version": ""}, "must hold one version"),
        ({"Pipfile.lock": "no json"}, "Pipfile.lock is not valid JSON"),
    ],
)
def test_a_python_version_that_is_none(
    shell: Callable[[str], Shell], files: Mapping[str, str], words: str
) -> None:
    python = shell("python")
    python.write(files)
    manager = "pipenv" if "Pipfile.lock" in files else "pip"
    assert words in python.run(f"x=$(wanted_version {manager})", "version", code=77)


@pytest.mark.parametrize(
    ("document", "release"),
    [({"scripts": {"start": "x"}}, "web: npm start"), ({}, "--- {}")],
)
def test_the_default_process_of_node(
    tmp_path: Path, document: Mapping[str, object], release: str
) -> None:
    (tmp_path / "package.json").write_text(json.dumps(document))
    shown = subprocess.run(
        [ROOT / "nodejs" / "bin" / "release", tmp_path], capture_output=True, text=True, check=True
    ).stdout
    assert release in shown


def test_a_server_for_tools_has_no_default_process(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text('{"scripts": {"start": "x"}}')
    (tmp_path / "Procfile").write_text("mcp-tools: node server.js\n")
    release = [ROOT / "nodejs" / "bin" / "release", tmp_path]
    assert subprocess.check_output(release, text=True) == "--- {}\n"


@pytest.mark.parametrize("buildpack", ["python", "nodejs", "procfile"])
def test_a_folder_without_an_app_is_not_detected(tmp_path: Path, buildpack: str) -> None:
    done = subprocess.run(
        [ROOT / buildpack / "bin" / "detect", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr


def test_every_name_of_the_detection_order_is_told_once() -> None:
    lines = (ROOT / "order.txt").read_text().splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    assert len(set(names)) == len(names)
    assert {"python", "nodejs", "procfile"} <= set(names)


def released(place: Path, *programs: str, procfile: bool = False) -> str:
    """Return what the Go buildpack's bin/release prints for an app with these programs."""
    (place / ".heroku" / "go").mkdir(parents=True)
    (place / ".heroku" / "go" / "programs").write_text("".join(f"{each}\n" for each in programs))
    if procfile:
        (place / "Procfile").write_text("web: bin/web\n")
    command = [ROOT / "go" / "bin" / "release", place]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("programs", "types"),
    [
        (["server"], ["web: bin/server"]),
        (["web", "worker"], ["web: bin/web", "worker: bin/worker"]),
        (["Api", "a_b", "release", "web"], ["web: bin/web"]),
    ],
)
def test_go_programs_are_process_types(
    tmp_path: Path, programs: list[str], types: list[str]
) -> None:
    lines = ["default_process_types:", *(f"  {each}" for each in types)]
    assert released(tmp_path, *programs) == "\n".join(lines) + "\n"


def test_a_procfile_says_which_of_several_go_programs_run(tmp_path: Path) -> None:
    assert released(tmp_path, "web", "worker", procfile=True) == "--- {}\n"


@pytest.mark.parametrize("manager", ["npm", "yarn", "pnpm"])
def test_scripts_run_by_the_package_manager_of_the_app(
    shell: Callable[[str], Shell], manager: str
) -> None:
    made = shell("nodejs")
    made.write({"package.json": json.dumps({"scripts": {"build": "x"}})})
    (made.place / "packs" / manager).write_text('#!/bin/sh\necho "$0 $*" | sed "s|.*/||"\n')
    (made.place / "packs" / manager).chmod(0o755)
    line = f"PATH={made.place}/packs:$PATH\nbuild_app {manager}"
    shown = made.run(line, "package", "scripts")
    assert shown == f"-----> Running build\n       {manager} run build\n"


@pytest.mark.parametrize(
    ("version", "focus", "words"),
    [
        ("3.8.7", "false", "Yarn 3.8.7 cannot take development packages out"),
        ("2.4.3", "false", "Yarn 2.4.3 cannot take development packages out"),
        ("3.8.7", "true", "\nyarn workspaces focus --all --production\n"),
        ("4.9.2", "false", "\nyarn workspaces focus --all --production\n"),
    ],
)
def test_yarn_before_4_prunes_by_a_plugin_alone(
    shell: Callable[[str], Shell], version: str, focus: str, words: str
) -> None:
    stub = f"""
    manager_run() {{ "$@"; }}
    yarn() {{
      case $* in
      --version) echo {version} ;;
      *--help) {focus} ;;
      *) echo "yarn $*" ;;
      esac
    }}
    """
    shown = shell("nodejs").run(f"{stub}\necho\nprune_with_yarn", "manager", "package", "install")
    assert words in shown
    assert shown.count("focus --all") + shown.count("cannot take") == 1


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (
            "17",
            "Java 21 builds and runs what is written for Java 17: write java.runtime.version=21",
        ),
        ("22", "write java.runtime.version=25"),
        ("27", "Change java.runtime.version there"),
        ("nonsense", "Change java.runtime.version there"),
    ],
)
def test_a_java_line_that_is_not_there_is_answered_with_one_that_will_do(
    lib: Shell, line: str, words: str
) -> None:
    load = 'source "$HAIKUBE_LIB/jvm.sh"\n'
    assert words in lib.run(f"{load}jvm_advice {line} $'21\\n25'")
