from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from build.rig import Engine
from haikube.model.names import PROCESS_TYPE
from haikube.model.procfile import MAX_BYTES, ProcfileError, parse_procfile

types = st.from_regex(PROCESS_TYPE, fullmatch=True)
commands = (
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1)
    .map(str.strip)
    .filter(lambda text: text and len(text.splitlines()) == 1)
)


@given(st.dictionaries(types, commands), st.sampled_from(["\n", "\r\n", "\r"]))
def test_what_is_written_is_read(entries: dict[str, str], newline: str) -> None:
    text = newline.join(f"{name}: {command}" for name, command in entries.items())
    assert parse_procfile(text.encode()) == entries


@given(st.binary(max_size=300))
def test_any_bytes_are_parsed_or_explained(content: bytes) -> None:
    with contextlib.suppress(ProcfileError):
        found = parse_procfile(content)
        assert all(PROCESS_TYPE.fullmatch(name) and command for name, command in found.items())


def test_comments_blank_lines_and_a_byte_order_mark_are_passed_over() -> None:
    assert parse_procfile(b"\xef\xbb\xbf# what runs\n\n  web : a: b  \n") == {"web": "a: b"}


def test_unicode_commands_and_200_types_are_fine() -> None:
    text = "\n".join(f"type{number}: echo žluť {number}" for number in range(200))
    assert len(parse_procfile(text.encode())) == 200


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"web: ok\nthis is broken\n", ["line 2", "'this is broken'", "type: command"]),
        (b"web:\n", ["line 1", "web:"]),
        (b"we b: x", ["line 1"]),
        ("wörker: x".encode(), ["line 1", "letters, digits"]),
        (b"web: a\nweb: b", ["line 2", "'web' is declared twice"]),
        (b"web: \xff", ["not UTF-8", "byte 5"]),
        (b"web: a\0b", ["NUL"]),
        (b"#" * (MAX_BYTES + 1), [str(MAX_BYTES), "scripts"]),
    ],
)
def test_a_broken_file_is_explained(content: bytes, words: list[str]) -> None:
    with pytest.raises(ProcfileError) as caught:
        parse_procfile(content)
    assert all(word in str(caught.value) for word in words)


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
