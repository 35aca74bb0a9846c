"""The ledger: versions without gaps, one at a time, whatever has happened before."""

from __future__ import annotations

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

import builders as b
from stage import plan

RESULTS = st.sampled_from(["Succeeded", "Failed", None])
MADE = st.lists(st.integers(0, 50), min_size=1, max_size=6)


@settings(max_examples=60)
@given(st.lists(RESULTS, min_size=1, max_size=5), MADE, st.booleans())
def test_the_next_version_is_always_the_highest_plus_one(
    results: list[str | None],
    made: list[int],
    config_changed: bool,  # noqa: FBT001 - drawn
) -> None:
    releases = [b.release(n, result=each) for n, each in enumerate(results, start=1)]
    builds = [
        b.build(
            f"b{n}",
            status=b.succeeded(),
            metadata={"creationTimestamp": f"2026-01-01T00:00:{at:02}Z"},
        )
        for n, at in enumerate(made)
    ]
    config = b.config({"A": "2"} if config_changed else {})
    snapshots = [b.snapshot(n) for n in range(1, len(results) + 1)]
    row = asyncio.run(plan(b.app(), config, *releases, *builds, *snapshots))
    words = [each for each in row.writes if each.startswith("create Release")]

    assert words == [f"create Release hello-v{len(results) + 1}"]
    oldest = min(range(len(made)), key=lambda n: (made[n], f"b{n}"))
    assert row.body(words[0])["spec"]["buildRef"] == {"name": f"b{oldest}"}


@settings(max_examples=30)
@given(st.permutations(range(1, 6)))
def test_the_order_in_which_releases_are_seen_does_not_matter(order: list[int]) -> None:
    releases = [b.release(n) for n in order]
    done = b.build(status=b.succeeded())
    row = asyncio.run(plan(b.app(), b.config(), done, *releases))

    assert "create Release hello-v6" in row.writes
    assert row.status["currentRelease"]["version"] == 5
