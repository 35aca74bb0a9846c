"""The shared library of the buildpacks, in bash alone: no stack."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from buildpacks.shell import ROOT, Shell


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


MAKE = "profile_memory\nmkdir -p $BUILD_DIR/.heroku"


@pytest.mark.parametrize("name", [".heroku", ".profile.d"])
def test_a_file_where_a_build_needs_a_folder_is_named(lib: Shell, name: str) -> None:
    lib.write({name: ""})
    shown = lib.run("echo never", code=77)
    assert f" !     The app has a file {name}, and a build needs a folder of that name.\n" in shown
    assert f"git mv {name} " in shown
    assert "never" not in shown


@pytest.mark.parametrize("name", [".heroku", ".profile.d"])
def test_a_link_to_nowhere_is_no_folder_and_left_out(lib: Shell, name: str) -> None:
    link = lib.place / "build" / name
    link.symlink_to("nowhere")
    assert f"The link {name} leads nowhere" in lib.run(
        "profile_memory\nmkdir -p $BUILD_DIR/.heroku"
    )
    assert link.is_dir()
    assert "nowhere" not in lib.run(MAKE)


def test_a_link_to_a_folder_is_one(lib: Shell) -> None:
    (lib.place / "build" / "conf").mkdir()
    (lib.place / "build" / ".profile.d").symlink_to("conf")
    assert lib.run("profile_memory") == ""
    assert (lib.place / "build" / "conf" / "00-memory.sh").is_file()
