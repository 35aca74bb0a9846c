from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from haikube.build.release_yaml import ReleaseError, default_process_types

LETTERS = st.characters(
    max_codepoint=0x24F, exclude_categories=["Cc", "Cf", "Zs"], include_characters=" "
)
OFFICIAL = b"""---
addons:
  - heroku-postgresql:essential-0
config_vars: {}
default_process_types:
  rake: bundle exec rake
  console: 'bin/rails console'
  # a comment
  web: "bin/rails server -p ${PORT:-5000} -e $RAILS_ENV"
  worker: run # with a comment
"""


@pytest.mark.parametrize(
    "nothing",
    [
        b"",
        b"---\n",
        b"--- {}\n",
        b"{}\n",
        b"---\n{}\n",
        b"addons: []\n",
        b"default_process_types: {}\n",
    ],
)
def test_nothing_is_normal(nothing: bytes) -> None:
    assert default_process_types(nothing) == {}


def test_what_official_buildpacks_print() -> None:
    assert default_process_types(OFFICIAL) == yaml.safe_load(OFFICIAL)["default_process_types"]


def test_a_flow_mapping_in_json() -> None:
    assert default_process_types(b'default_process_types: {"web": "a: b"}') == {"web": "a: b"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"default_process_types:\n  - web\n", "line 2"),
        (b"default_process_types:\n  web:\n    command: x\n", "line 2"),
        (b"default_process_types: [web]\n", "line 1"),
        (b"default_process_types:\n  we b: x\n", "'we b'"),
    ],
)
def test_what_cannot_be_read_is_named(text: bytes, words: str) -> None:
    with pytest.raises(ReleaseError, match=words):
        default_process_types(text)


@given(
    st.dictionaries(
        st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True),
        st.text(
            LETTERS,
            min_size=1,
        )
        .map(str.strip)
        .filter(bool),
        max_size=5,
    )
)
def test_it_reads_what_a_yaml_library_writes(types: dict[str, str]) -> None:
    text = yaml.safe_dump({"default_process_types": types}, width=1 << 20, allow_unicode=True)
    assert default_process_types(text.encode()) == types


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_explained(content: bytes) -> None:
    try:
        default_process_types(content)
    except ReleaseError as error:
        assert str(error)  # noqa: PT017 - both ends are right
