"""Stacks count their apps."""

from __future__ import annotations

import builders as b
from stage import plan


async def test_it_counts_the_apps_that_name_it_or_name_none() -> None:
    apps = [b.app("one"), b.app("two", stack="debian-13"), b.app("three", stack="other")]
    row = await plan(b.stack(), *apps)

    assert row.status["apps"] == 2
    assert row.condition() == ("True", "StackAvailable")


async def test_a_deprecated_one_says_so() -> None:
    row = await plan(b.stack(deprecation="ends in May"))

    assert row.condition() == ("True", "Deprecated")
    assert "ends in May" in row.message()


async def test_one_that_is_being_deleted_is_left_alone() -> None:
    stack = b.stack()
    stack["metadata"]["deletionTimestamp"] = b.CREATED

    assert (await plan(stack)).plan.status is None
