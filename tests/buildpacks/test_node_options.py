"""What of NODE_OPTIONS a build heeds."""

from __future__ import annotations

import pytest

from buildpacks.shell import Shell


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        ("", "--max_old_space_size=2560"),
        ("--max-old-space-size=4096", "--max-old-space-size=4096"),
        ("--require dd-trace/init", ""),
        ("-r ./a.js --max-http-header-size=16384", "--max-http-header-size=16384"),
        ("--import=./a.mjs --require=./b.js --inspect", "--inspect"),
        ('--require "./a b.js" --trace-warnings', "--trace-warnings"),
        ("--no-deprecation --experimental-loader tsx --loader x", "--no-deprecation"),
        ("--report-on-signal --import-map x", "--report-on-signal --import-map x"),
    ],
)
def test_what_preloads_a_module_is_for_dynos(node: Shell, wanted: str, kept: str) -> None:
    if wanted:
        node.write({"NODE_OPTIONS": wanted}, "env")
    line = (
        'prepare_environment\necho "[${NODE_OPTIONS-none}]"\ntool sh -c \'echo "[$NODE_OPTIONS]"\''
    )
    *before, own, seen = node.run(line, "package", "dyno").splitlines()
    assert own == "[none]", "the platform's own steps"
    assert " ".join(seen.strip("[]").split()) == kept
    told = any("What NODE_OPTIONS preloads is for dynos" in each for each in before)
    assert told == (wanted.split() != kept.split() and bool(wanted))
