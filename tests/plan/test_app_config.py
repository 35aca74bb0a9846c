"""The config of an app: its Secret, and the releases that its changes make."""

from __future__ import annotations

import pytest

import builders as b
from haikube.cluster.fake import FakeCluster
from haikube.model import labels
from haikube.model.intents import Place
from haikube.model.resources import SECRETS
from plan.apps import FIRST, SERVING
from stage import plan


async def test_a_new_app_gets_an_empty_labelled_config() -> None:
    row = await plan(b.app())
    body = row.body("create Secret hello-config")

    assert row.writes == ["create Secret hello-config", "create Release hello-v1"]
    assert body["metadata"]["labels"]["haikube.dev/app"] == "hello"
    assert "data" not in body
    assert row.condition() == ("False", "NoRelease")
    assert row.types == ["Ready", "ConfigReady"]
    assert row.status["url"] == "http://hello.localhost:8080/"


async def test_the_first_release_says_which_config_it_is_of_and_brings_its_snapshot() -> None:
    row = await plan(b.app())
    release = row.write("create Release hello-v1")

    assert release.noted == {labels.CONFIG_VERSION: Place(SECRETS, "team", "hello-config")}
    (snapshot,) = release.owned
    assert snapshot.body["metadata"]["name"] == "hello-v1"
    assert snapshot.copied.keys == ()
    assert labels.CONFIG_SEEN in snapshot.body["metadata"]["annotations"]


async def test_a_later_release_is_of_the_config_that_the_plan_saw() -> None:
    row = await plan(b.app(), *SERVING, b.config({"A": "1"}))
    release = row.write("create Release hello-v2")

    assert not release.noted
    (snapshot, url) = release.owned
    assert snapshot.copied.keys == ("A",)
    assert url.body["metadata"]["name"] == "hello-v2-slug"


async def test_an_unlabelled_config_is_named_with_the_remedy_and_not_touched() -> None:
    cluster = FakeCluster()
    cluster.seed(SECRETS, {"metadata": {"name": "hello-config", "namespace": "team"}})
    row = await plan(b.app(), cluster=cluster)

    assert row.writes == []
    assert row.condition("ConfigReady") == ("False", "ConfigSecretNotLabelled")
    assert "kubectl label secret hello-config" in row.message("ConfigReady")
    assert row.plan.requeue_after == 30.0


async def test_a_release_that_is_there_before_the_config_does_not_keep_it_from_being_made() -> None:
    row = await plan(b.app(), b.release(2, result=None))

    assert "create Secret hello-config" in row.writes


async def test_a_config_that_got_lost_is_never_replaced_by_an_empty_one() -> None:
    row = await plan(b.app(), *SERVING)

    assert row.writes == []
    assert row.condition("ConfigReady") == ("False", "ConfigSecretMissing")
    assert row.condition() == ("True", "Serving")


async def test_names_that_are_no_variables_are_left_out_and_named() -> None:
    config = b.config({"a.b": "1", "GOOD": "2"})
    row = await plan(b.app(), config)
    release = await plan(b.initial(result=None), b.app(), config)

    assert row.condition("ConfigReady") == ("False", "InvalidConfigVar")
    assert release.write("create Secret hello-v1").copied.keys == ("GOOD",)


async def test_a_config_elsewhere_is_used() -> None:
    own = b.secret("shared", {"A": "1"})
    row = await plan(b.initial(result=None), b.app(configRef={"name": "shared"}), own)

    assert row.write("create Secret hello-v1").copied.source.name == "shared"


@pytest.mark.parametrize(
    ("before", "after", "description"),
    [
        ({}, {"A": "1"}, "Set A config vars"),
        ({"A": "1"}, {"A": "2", "B": "1"}, "Set A, B config vars"),
        ({"A": "1", "B": "2"}, {"B": "2"}, "Remove A config vars"),
        ({"A": "1"}, {"B": "2"}, "Set B config vars, Remove A config vars"),
        ({}, {f"V{n}": "1" for n in range(9)}, "Set V0, V1, V2, V3, V4 and 4 more config vars"),
    ],
)
async def test_a_config_change_releases_the_same_slug(
    before: dict[str, str], after: dict[str, str], description: str
) -> None:
    row = await plan(b.app(), b.config(after), b.release(), b.snapshot(1, before))
    spec = row.body("create Release hello-v2")["spec"]

    assert spec["description"] == description
    assert spec["slug"] == b.slug()
    assert "buildRef" not in spec


LIMIT = 131_072 - len("BIG") - 2


@pytest.mark.parametrize("ended", [b.succeeded(), None])
async def test_no_release_is_made_of_a_config_with_which_no_program_starts(ended: b.Raw) -> None:
    build = [b.build("b9", status=ended)] if ended else []
    base = (b.release(), b.snapshot(1, {}), *build)
    row = await plan(b.app(), b.config({"BIG": "x" * (LIMIT + 1), "A": "1"}), *base)
    assert [each for each in row.writes if "Release" in each] == []
    assert row.condition("ConfigReady") == ("False", "InvalidConfigVar")
    assert "starts no program: BIG has 131,073; no release" in row.message("ConfigReady")

    row = await plan(b.app(), b.config({"BIG": "x" * LIMIT, "A": "1"}), *base)
    assert "create Release hello-v2" in row.writes
    assert row.condition("ConfigReady")[0] == "True"


@pytest.mark.parametrize("value", ["//4=", "YQBi", "no base64"])
async def test_no_release_is_made_of_a_value_that_is_no_text(value: str) -> None:
    config = b.config({"GOOD": "1"})
    config["data"]["RAW"] = value
    row = await plan(b.app(), config, b.release(), b.snapshot(1, {}))
    assert [each for each in row.writes if "Release" in each] == []
    assert row.condition("ConfigReady") == ("False", "InvalidConfigVar")
    assert row.message("ConfigReady").startswith("values that are no text (UTF-8 without zero")
    assert "which no container can be given: RAW; no release" in row.message("ConfigReady")


async def test_a_config_change_without_code_is_a_release_too() -> None:
    row = await plan(b.app(), b.config({"A": "1"}), *FIRST)

    assert row.body("create Release hello-v2")["spec"] == {
        "appRef": {"name": "hello"},
        "version": 2,
        "configRef": {"name": "hello-v2"},
        "description": "Set A config vars",
    }


async def test_who_changed_the_config_and_what_they_call_it_is_in_the_ledger() -> None:
    config = b.config({"A": "1"}, version="12")
    told = {"haikube.dev/author": "ada@example.com", "haikube.dev/description": "Attach DATABASE"}
    config["metadata"]["annotations"] = told
    body = (await plan(b.app(), config, *FIRST)).body("create Release hello-v2")

    assert body["spec"]["author"] == "ada@example.com"
    assert body["spec"]["description"] == "Attach DATABASE"
    assert body["metadata"]["annotations"]["haikube.dev/config-version"] == "12"


async def test_a_new_version_of_the_same_config_is_noted_on_the_newest_release() -> None:
    row = await plan(b.app(), b.config(version="12"), *FIRST)

    assert row.writes == ["annotate hello-v1 12"]


async def test_no_value_of_a_config_is_ever_in_a_release_status_or_event() -> None:
    row = await plan(b.app(), b.config({"A": "s3cret"}), b.release(), b.snapshot())
    text = str((row.body("create Release hello-v2"), row.status, row.plan.events))

    assert "s3cret" not in text
    assert b.encoded({"A": "s3cret"})["A"] not in text


async def test_an_unchanged_config_makes_no_release() -> None:
    row = await plan(b.app(), b.config({"A": "1"}), b.release(), b.snapshot(1, {"A": "1"}))

    assert "create Release hello-v2" not in row.writes


async def test_a_config_change_waits_for_a_pending_release() -> None:
    phased = b.release(result=None, types={"web": "x", "release": "y"})
    row = await plan(b.app(), b.config({"A": "1"}), phased, b.snapshot())

    assert row.writes == []
    assert row.condition() == ("Unknown", "Releasing")


async def test_a_deleted_snapshot_is_replaced_by_a_new_release() -> None:
    row = await plan(b.app(), b.config({"A": "1"}), b.release())
    spec = row.body("create Release hello-v2")["spec"]

    assert (spec["description"], spec["slug"]) == ("Restore config vars", b.slug())


async def test_a_config_change_after_a_failed_release_takes_the_slug_that_serves() -> None:
    bad = b.release(2, result="Failed", types={"web": "bad"})
    row = await plan(b.app(), b.config({"A": "1"}), b.release(1), bad, b.snapshot(1), b.snapshot(2))

    assert row.body("create Release hello-v3")["spec"]["slug"] == b.slug()


async def test_a_config_change_gives_a_failed_first_release_another_try() -> None:
    row = await plan(b.app(), b.config({"A": "1"}), b.release(result="Failed"), b.snapshot())

    assert "create Release hello-v2" in row.writes
