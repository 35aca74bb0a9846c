from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.rig import Engine
from haikube.model.names import PROCESS_TYPE
from haikube.model.procfile import MAX_BYTES, ProcfileError, read_procfile

types = st.from_regex(PROCESS_TYPE, fullmatch=True)
commands = (
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
    .map(str.strip)
    .filter(lambda text: text and len(text.splitlines()) == 1)
)


@given(st.dictionaries(types, commands), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_is_written_is_read(entries: dict[str, str], newline: str) -> None:
    text = newline.join(f"{name}: {command}" for name, command in entries.items())
    assert read_procfile(text.encode()).types == entries


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_explained(content: bytes) -> None:
    with contextlib.suppress(ProcfileError):
        found = read_procfile(content).types
        assert all(PROCESS_TYPE.fullmatch(name) and command for name, command in found.items())


def test_comments_blank_lines_and_a_byte_order_mark_are_passed_over() -> None:
    assert read_procfile(b"\xef\xbb\xbf# what runs\n\n  web : a: b  \n").types == {"web": "a: b"}


def test_unicode_commands_and_200_types_are_fine() -> None:
    text = "\n".join(f"type{number}: echo žluť {number}" for number in range(200))
    assert len(read_procfile(text.encode()).types) == 200


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"web: a \\\n  --b\n", ["line 1 ends in \\ and goes on", "one line", "into a script"]),
        (b"web: gunicorn \\\n  app:app\n", ["line 1 ends in \\"]),
        (b"worker: x\nweb: a \\\n\\\n", ["line 2 ends in \\"]),
        ("web: a\0".encode("utf-16"), ["NUL"]),
        (b"web: \xff", ["not UTF-8", "byte 5"]),
        (b"web: a\0b", ["NUL"]),
        (b"#" * (MAX_BYTES + 1), [str(MAX_BYTES), "scripts"]),
    ],
)
def test_a_broken_file_is_explained(content: bytes, words: list[str]) -> None:
    with pytest.raises(ProcfileError) as caught:
        read_procfile(content)
    assert all(word in str(caught.value) for word in words)


@pytest.mark.parametrize(
    ("content", "remark"),
    [
        (b"web:\n", "line 1: the type web has no command and is left out."),
        (b"worker:   \nweb: x", "line 1: the type worker has no command and is left out."),
        (b"web: 'node server.js'", "line 1: the whole command is quoted, so the shell looks for"),
        (b'x: y\nweb: "a b"', "line 2: the whole command is quoted"),
        (
            b"web: ok\nthis is broken\n",
            "line 2 is not 'type: command' and is left out: 'this is br",
        ),
        (b"---\nweb: x", "line 1 is not 'type: command' and is left out: '---'"),
        (b"we b: x", "line 1 is not 'type: command' and is left out: 'we b: x'"),
        ("wörker: x".encode(), "a type is made of letters, digits, - and _, for example"),
        (b"web: a\nweb: b", "line 2: the type web is declared twice, and this line counts."),
        (b"Web: x", "line 1: Web gets no requests, only the type web does."),
        (b"RELEASE: x", "RELEASE does not run before a release, only the type release does."),
        ("web: x".encode("utf-16"), "The Procfile is UTF-16, which other tools do not read: save"),
    ],
)
def test_what_somebody_may_not_have_meant_is_remarked(content: bytes, remark: str) -> None:
    (said,) = read_procfile(content).remarks
    assert remark in said


@pytest.mark.parametrize(
    "line",
    ["'a' 'b c'", '"a"', "bash -c 'a b'", "'it''s' x", 'a "b c"', "'a b' && c", "a\tb\\ c"],
)
def test_what_is_meant_is_not_remarked(line: str) -> None:
    found = read_procfile(f"\tweb:\t{line} \nrelease: x\n".encode())
    assert found.types == {"web": line, "release": "x"}
    assert found.remarks == []


def test_the_last_line_of_a_type_counts_and_a_line_that_is_none_does_not() -> None:
    found = read_procfile(b"---\nweb: a\nworker: b\nweb: c\nnote to self\n")
    assert found.types == {"web": "c", "worker": "b"}
    assert len(found.remarks) == 3


def test_two_lines_may_end_in_backslashes() -> None:
    assert read_procfile(b"web: a \\\nworker: b").types == {"web": "a \\", "worker": "b"}


def test_a_broken_procfile_is_refused_before_anything_is_built(engine: Engine) -> None:
    engine.buildpack()
    done = engine.run({"Procfile": "web: gunicorn app \\\n  --bind :$PORT\n"})
    reason, message = done.failure
    assert reason == "ProcfileInvalid"
    assert "line 1 ends in \\ and goes on in the next" in message
    assert "Toying" not in done.log


def test_remarks_come_before_the_build_and_once(engine: Engine) -> None:
    engine.buildpack()
    done = engine.run({"Procfile": "web: x\nworker:\n"})
    assert done.log.count(" !     Procfile line 2: the type worker has no command") == 1
    assert done.log.index("the type worker") < done.log.index("Toying")
    assert done.result["processTypes"] == [{"name": "web", "command": "x"}]


def test_a_procfile_that_a_build_writes_counts(engine: Engine) -> None:
    engine.buildpack(compile="#!/bin/sh\necho 'web: made' >$1/Procfile\n")
    assert engine.run({"x": ""}).result["processTypes"] == [{"name": "web", "command": "made"}]


@pytest.mark.parametrize(("target", "found"), [("deploy/P", "linked"), ("/etc/hostname", "./run")])
def test_a_procfile_may_be_a_link_to_a_file_of_the_app(
    engine: Engine, target: str, found: str
) -> None:
    engine.buildpack(compile=f"#!/bin/sh\nln -sf {target} $1/Procfile\n")
    done = engine.run({"deploy/P": "web: linked\n"})
    assert done.result["processTypes"] == [{"name": "web", "command": found}]


@pytest.mark.parametrize("name", ["procfile", "PROCFILE", "Procfile.txt", "procfile.yml"])
def test_a_procfile_of_another_name_is_told(engine: Engine, name: str) -> None:
    engine.buildpack()
    done = engine.run({name: "web: x\nworker: y\n"})
    assert done.code == 0
    assert f" !     {name} is not read: the file must be named Procfile.\n" in done.log
    assert f" !     Rename it: git mv {name} Procfile\n" in done.log

    engine.buildpack(release="#!/bin/sh\n")
    reason, message = engine.run().failure
    assert reason == "NoProcessTypes"
    assert f"{name} is not read, rename it: git mv {name} Procfile" in message


@pytest.mark.parametrize("name", ["Procfile.dev", "myprocfile", "procfile.rb"])
def test_a_file_that_is_for_something_else_is_not(engine: Engine, name: str) -> None:
    engine.buildpack()
    assert "is not read" not in engine.run({name: "web: x\n"}).log


def test_beside_a_procfile_no_other_counts(engine: Engine) -> None:
    engine.buildpack()
    done = engine.run({"procfile": "web: x\n", "Procfile": "web: y\n"})
    assert "is not read" not in done.log
    assert done.result["processTypes"] == [{"name": "web", "command": "y"}]
