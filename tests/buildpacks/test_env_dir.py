"""Config vars of an app in the scripts of its build, and a proxy among them; bash alone."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest

from buildpacks.scripts import names_of_scripts
from buildpacks.shell import ROOT, Shell


def test_config_vars_are_exported_but_those_that_bend_the_build(lib: Shell) -> None:
    lib.write({"GOOD": "a b\n\n", "PATH": "/evil", "LD_PRELOAD": "x", "SKIP": "y"}, "env")
    shown = lib.run('export_env_dir "^SKIP$"\nprintf "[%s]" "$GOOD" "${LD_PRELOAD-}" "${SKIP-}"')
    assert shown == "[a b\n\n][][]"


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
