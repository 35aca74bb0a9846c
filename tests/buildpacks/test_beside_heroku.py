"""What Heroku's buildpacks came to do in the last years, in bash alone: no stack."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from buildpacks.shell import ROOT, Shell


@pytest.mark.parametrize("command", ["run", 'follow "$TMPDIR/log"'])
@pytest.mark.parametrize("end", ["exit 0", "exit 3"])
def test_what_is_left_in_the_background_holds_no_build_up(
    lib: Shell, command: str, end: str
) -> None:
    left = f"sleep 60 & echo $! >$TMPDIR/left; echo said; echo more >/dev/stderr; {end}"
    shown = lib.run(
        f"{command} bash -c '{left}' || echo failed\nkill $(<$TMPDIR/left) && echo left"
    )
    expected = ["       said", "       more", "failed", "left"]
    assert shown.splitlines() == [each for each in expected if each != "failed" or "3" in end]


def test_all_that_a_tool_prints_is_shown_before_what_comes_next(lib: Shell) -> None:
    shown = lib.run(
        'for count in 1 2 3; do follow "$TMPDIR/log" seq 20000; wc -l <"$TMPDIR/log"; done'
    )
    numbers = [f"       {number}" for number in range(1, 20001)]
    assert shown.splitlines() == [*numbers, "20000"] * 3


@pytest.mark.parametrize(
    ("puma", "set_"),
    [("6.6.1", True), ("7.0.0", False), ("7.0.2", False), ("7.0.3", True), ("7.1.0", True)],
)
def test_puma_is_told_to_be_patient_where_it_starts_then(
    shell: Callable[[str], Shell], puma: str, *, set_: bool
) -> None:
    made = shell("ruby")
    made.write({"Gemfile.lock": f"GEM\n  specs:\n    puma ({puma})\n      nio4r (~> 2.0)\n"})
    made.run("keep_puma_patient", "lockfile", "profile")
    script = made.place / "build" / ".profile.d" / "ruby.sh"
    assert (script.exists() and "PUMA_PERSISTENT_TIMEOUT" in script.read_text()) == set_


@pytest.mark.parametrize(
    ("lock", "chosen"),
    [
        ("BUNDLED WITH\n   1.17.3\n", "2.5.22"),
        ("BUNDLED WITH\n  2.6.9\n", ""),
        ("BUNDLED WITH\r\n  4.0.3\r\n", ""),
        ("DEPENDENCIES\n  rack\n", ""),
    ],
)
def test_a_bundler_before_2_is_not_fetched(
    shell: Callable[[str], Shell], lock: str, chosen: str
) -> None:
    made = shell("ruby")
    made.write({"Gemfile.lock": lock})
    line = "BUNDLER_CHOICE=\nruby() { printf 2.5.22; }\nchoose_bundler >/dev/null"
    shown = made.run(f"{line}\nbundle_environment echo /x", "lockfile", "bundle")
    assert ("BUNDLER_VERSION 2.5.22" in shown) == bool(chosen)


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(">=20", "26.1.0"), ("25.x", "25.2.0"), (">=27", "27.0.0"), ("^22", "22.9.0")],
)
def test_a_wide_range_gets_a_line_of_node_js_that_is_mended_for_long(
    shell: Callable[[str], Shell], wanted: str, found: str
) -> None:
    semver = """
    const major = (each) => Number(each.split(".")[0]);
    const named = (range) => Number(range.match(/\\d+/)[0]);
    exports.valid = (each) => each;
    exports.validRange = () => true;
    exports.major = major;
    exports.maxSatisfying = (known, range) => known.filter((each) =>
      range.startsWith(">=") ? major(each) >= named(range) : major(each) == named(range)).pop();
    """
    made = shell("nodejs")
    folder = made.place / "npm" / "node_modules" / "semver"
    folder.mkdir(parents=True)
    (folder / "index.js").write_text(semver)
    known = "22.9.0\\n25.2.0\\n26.1.0\\n27.0.0\\n"
    line = f"printf '{known}' | resolve_node node {made.place / 'npm'} '{wanted}'"
    assert made.run(line, "version") == f"{found}\n"


def test_a_package_of_the_old_kind_needs_no_list_of_packages(
    shell: Callable[[str], Shell],
) -> None:
    made = shell("python")
    made.write({"setup.py": ""})
    line = (
        "package_manager && echo && lock_file_of pip && echo && nothing_to_do pip || echo install"
    )
    assert made.run(line, "tools", "packages", "unchanged").split() == [
        "pip",
        "setup.py",
        "install",
    ]


@pytest.mark.parametrize("known", ["js", "js mjs"])
def test_nginx_knows_modules_of_javascript_once(lib: Shell, known: str) -> None:
    (lib.place / "types").write_text(
        f"types {{\n    text/html html;\n    text/javascript {known};\n}}\n"
    )
    made = '"$TMPDIR/made"'
    load = 'source "$HAIKUBE_LIB/nginx.sh"'
    shown = lib.run(f'{load}\nnginx_types "$TMPDIR/../types" {made}\ncat {made}')
    assert shown.count("mjs;") == 1
    assert shown.rstrip().endswith("}")


@pytest.mark.parametrize(
    ("pool", "own", "limit"),
    [
        ("", "", "128M"),
        ("", "memory_limit = 64M\n", "64M"),
        ("php_value[memory_limit] = 32M\n", "", "32M"),
        ("php_value[memory_limit] = 32M\n", "memory_limit=64M\n", "64M"),
        ("php_admin_value[memory_limit] = 32M\n", "memory_limit = 64M\n", "32M"),
    ],
)
def test_the_memory_of_a_php_worker_is_what_php_will_take(
    lib: Shell, pool: str, own: str, limit: str
) -> None:
    lib.write({"pool": pool, ".user.ini": own})
    load = f"source {ROOT}/php/boot/common.sh\nphp() {{ echo 128M; }}"
    place = "FPM_INCLUDE=$BUILD_DIR/pool DOCUMENT_ROOT=$BUILD_DIR"
    assert lib.run(f"{load}\n{place}\nmemory_limit | sed -n 1p") == f"{limit}\n"
