"""Heroku's API from one end to the other: every answer keeps the published schema."""

from __future__ import annotations

import base64

import pytest

from haikube.cluster.errors import NotFound
from haikube.cluster.port import Json
from haikube.model import labels
from haikube.model.resources import APPS, FORMATIONS, PODS, SECRETS
from rest import Rest
from world import NAMESPACE, USER, World


@pytest.fixture
async def app(kept: World, ada: Rest) -> Json:
    """An app with a slug of three process types."""
    made: Json = await ada.post("/apps", {"name": "hello", "team": NAMESPACE})
    obj = await kept.cluster.get(APPS, "hello", NAMESPACE)
    commands = {"web": "npm start", "worker": "node work.js", "release": "rake db:migrate"}
    await kept.ledger.deploy(obj, commands)
    return made


async def newest(ada: Rest) -> Json:
    found = await ada("GET", "/apps/hello/releases", None, Range="version ..; order=desc,max=1")
    return dict(found.body[0])


async def test_config_vars_are_kept_byte_for_byte_and_each_change_is_a_release(
    ada: Rest, app: Json
) -> None:
    assert await ada.get("/apps/hello/config-vars") == {}
    wish = {"Z": "é\n\"$(x)' ", "A": "1"}
    assert await ada.patch("/apps/hello/config-vars", wish) == {"A": "1", "Z": wish["Z"]}
    release = await newest(ada)
    assert (release["version"], release["user"]["email"], release["current"]) == (3, USER, True)
    assert await ada.get("/apps/hello/config-vars") == {"A": "1", "Z": wish["Z"]}
    assert list(await ada.get("/apps/hello/config-vars")) == ["A", "Z"]
    assert await ada.patch("/apps/hello/config-vars", {"A": None, "NOT_THERE": None}) == {
        "Z": wish["Z"]
    }
    assert (await newest(ada))["version"] == 4
    assert await ada.get("/apps/hello/releases/3/config-vars") == {"A": "1", "Z": wish["Z"]}
    assert app["name"] == "hello"


async def test_a_change_of_nothing_makes_no_release(ada: Rest, app: Json) -> None:
    await ada.patch("/apps/hello/config-vars", {"A": "1"})
    before = await newest(ada)
    await ada.patch("/apps/hello/config-vars", {"A": "1"})
    assert (await newest(ada))["version"] == before["version"]
    assert app


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("wish", "words"),
    [
        ({"9A": "x"}, "does not begin with a digit"),
        ({"A-B": "x"}, "letters, digits and _ alone"),
        ({"A": "x\0y"}, "The value of A is no text: it holds a zero byte"),
        ({"A": "\ud800"}, "or half a character. Store it as base64."),
        ({"A": "x" * 70_000}, "at most 65,536"),
        ({"A": "x" * 60_000, "B": "y" * 60_000}, "fit into the environment"),
        ({"A": 1}, "is not of type"),
    ],
)
async def test_what_cannot_be_a_config_var_is_refused(
    kept: World, ada: Rest, wish: Json, words: str
) -> None:
    assert words in await ada.refused("PATCH", "/apps/hello/config-vars", wish)
    with pytest.raises(NotFound):
        await kept.cluster.get(SECRETS, "hello-config", NAMESPACE)


@pytest.mark.usefixtures("app")
async def test_a_name_that_is_the_shells_own_is_warned_of(ada: Rest) -> None:
    found = await ada("PATCH", "/apps/hello/config-vars", {"IFS": ",", "A": "1"}, 200)
    assert found.headers["X-Heroku-Warning"].startswith("IFS: the shell that starts a dyno has")
    found = await ada("PATCH", "/apps/hello/config-vars", {"IFS": None, "BASH_ENV": "x"}, 200)
    assert "X-Heroku-Warning" not in found.headers


@pytest.mark.usefixtures("app")
async def test_a_rollback_is_a_release(ada: Rest) -> None:
    await ada.patch("/apps/hello/config-vars", {"A": "1"})
    releases = await ada.get("/apps/hello/releases")
    assert [each["version"] for each in releases] == [1, 2, 3]
    assert [each["eligible_for_rollback"] for each in releases] == [False, True, True]
    assert releases[2]["output_stream_url"].startswith("http://127.0.0.1")
    made = await ada.post("/apps/hello/releases", {"release": releases[1]["id"]})
    assert (made["version"], made["description"]) == (4, "Rollback to v2")
    assert made["slug"] == releases[1]["slug"]
    assert "has no slug" in await ada.refused("POST", "/apps/hello/releases", {"release": "v1"})
    found = await ada("POST", "/apps/hello/releases", {"release": "v99"}, 404)
    assert found.body["resource"] == "release"


@pytest.mark.usefixtures("app")
async def test_a_rollback_brings_the_config_vars_back(ada: Rest) -> None:
    await ada.patch("/apps/hello/config-vars", {"A": "1", "B": "1"})
    await ada.patch("/apps/hello/config-vars", {"A": "2", "B": None})
    await ada.post("/apps/hello/releases", {"release": "v3"})
    assert await ada.get("/apps/hello/config-vars") == {"A": "1", "B": "1"}
    await ada.patch("/apps/hello/config-vars", {"C": "3"})
    assert await ada.get("/apps/hello/config-vars") == {"A": "1", "B": "1", "C": "3"}


@pytest.mark.usefixtures("app")
async def test_a_rollback_brings_back_what_is_no_text_and_leaves_what_is_no_config_var(
    kept: World, ada: Rest
) -> None:
    async def data(value: str | None = None) -> Json:
        body = {"data": {"RAW": value, "a.b": "eA=="}} if value else {}
        return (await kept.cluster.patch(SECRETS, "hello-config", NAMESPACE, body))["data"]

    await ada.patch("/apps/hello/config-vars", {"A": "1"})
    await data("//4A")
    await ada.patch("/apps/hello/config-vars", {"A": "2"})
    version = (await newest(ada))["version"]
    await ada.patch("/apps/hello/config-vars", {"RAW": "text"})
    await ada.post("/apps/hello/releases", {"release": f"v{version}"})
    assert await data() == {"A": "Mg==", "RAW": "//4A", "a.b": "eA=="}


@pytest.mark.usefixtures("app")
async def test_who_has_too_much_may_have_less(kept: World, ada: Rest) -> None:
    await ada.patch("/apps/hello/config-vars", {"A": "1"})
    large = dict.fromkeys(("B", "C", "D", "E"), "eHh4" * 15_000)
    await kept.cluster.patch(SECRETS, "hello-config", NAMESPACE, {"data": large})
    assert set(await ada.patch("/apps/hello/config-vars", {"B": None})) == {"A", "C", "D", "E"}
    more = await ada.refused("PATCH", "/apps/hello/config-vars", {"A": "12"})
    assert "would have 135,0" in more
    assert "; 98,304 fit into the environment" in more


@pytest.mark.usefixtures("app")
async def test_a_slug_can_be_downloaded(kept: World, ada: Rest) -> None:
    release = await newest(ada)
    slug = await ada.get(f"/apps/hello/slugs/{release['slug']['id']}")
    assert slug["process_types"]["worker"] == "node work.js"
    key = (await kept.cluster.list(APPS)).items[0]["metadata"]["uid"]
    await kept.storage.put(f"slugs/{key}/1.tar.zst", b"packed")
    async with ada.session.get(slug["blob"]["url"]) as answer:
        assert (answer.status, await answer.read()) == (200, b"packed")


@pytest.mark.usefixtures("app")
async def test_formations_scale_by_number_and_by_change(kept: World, ada: Rest) -> None:
    listed = await ada.get("/apps/hello/formation")
    assert [(each["type"], each["quantity"], each["size"]) for each in listed] == [
        ("web", 1, "Basic"),
        ("release", 0, "Basic"),
        ("worker", 0, "Basic"),
    ]
    updates = [
        {"type": "web", "quantity": "3"},
        {"type": "worker", "quantity": "+2", "size": "STANDARD-2x"},
    ]
    changed = await ada.patch("/apps/hello/formation", {"updates": updates})
    assert [(each["quantity"], each["size"]) for each in changed] == [
        (3, "Basic"),
        (2, "Standard-2X"),
    ]
    worker = await kept.cluster.get(FORMATIONS, "hello-worker", NAMESPACE)
    assert worker["spec"]["size"] == "standard-2x"
    assert worker["metadata"]["annotations"][labels.AUTHOR] == USER
    one = await ada.patch("/apps/hello/formation/web", {"quantity": "-1"})
    assert one["quantity"] == 2


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("update", "words"),
    [
        ({"type": "foo", "quantity": "1"}, "Couldn't find that process type (foo). It has web"),
        ({"type": "web", "quantity": "x"}, "is not a number"),
        ({"type": "web", "quantity": "-2"}, "cannot have -1 dynos"),
        ({"type": "web", "quantity": "5000"}, "from 0 to 1000"),
        (
            {"type": "web", "size": "huge"},
            "Couldn't find that dyno size (huge). Choose one of: Eco",
        ),
        ({"quantity": "1"}, "'type' is a required property"),
        ({"type": "web", "docker_image": "sha256:1"}, "'docker_image' was unexpected"),
    ],
)
async def test_what_cannot_be_scaled_changes_nothing(
    kept: World, ada: Rest, update: Json, words: str
) -> None:
    before = list(kept.cluster.writes)
    body = {"updates": [{"type": "web", "quantity": "2"}, update]}
    assert words in await ada.refused("PATCH", "/apps/hello/formation", body)
    assert kept.cluster.writes == before


@pytest.mark.usefixtures("app")
async def test_an_image_is_not_taken_for_a_change_of_nothing(ada: Rest) -> None:
    body = {"docker_image": "sha256:1"}
    said = await ada.refused("PATCH", "/apps/hello/formation/web", body)
    assert "Container deploys are not there yet" in said


@pytest.mark.usefixtures("app")
async def test_dynos_are_listed_rolled_and_stopped(kept: World, ada: Rest) -> None:
    await ada.patch("/apps/hello/formation", {"updates": [{"type": "web", "quantity": 3}]})
    while len(kept.cluster._state.of(PODS)) < 3:
        await ada.get("/apps/hello")
    dynos = await ada.get("/apps/hello/dynos")
    assert [(each["name"], each["state"]) for each in dynos] == [
        ("web.1", "up"),
        ("web.2", "up"),
        ("web.3", "up"),
    ]
    assert dynos[0]["release"]["version"] == 2
    assert await ada.delete("/apps/hello/dynos", 202) == {}
    web = await kept.cluster.get(FORMATIONS, "hello-web", NAMESPACE)
    first = web["metadata"]["annotations"][labels.RESTARTED_AT]
    await ada.delete("/apps/hello/formations/web", 202)
    web = await kept.cluster.get(FORMATIONS, "hello-web", NAMESPACE)
    assert web["metadata"]["annotations"][labels.RESTARTED_AT] > first
    uid = dynos[1]["id"]
    await ada.delete("/apps/hello/dynos/web.2", 202)
    assert uid not in {each["metadata"]["uid"] for each in kept.cluster._state.of(PODS).values()}
    await ada.post("/apps/hello/dynos/web.1/actions/stop", status=202)
    await ada("DELETE", "/apps/hello/dynos/web.9", None, 404)
    assert "process type (nope)" in await ada.refused("DELETE", "/apps/hello/formations/nope")


@pytest.mark.usefixtures("app")
async def test_an_app_is_renamed_and_its_old_name_leads_to_it(ada: Rest) -> None:
    renamed = await ada.patch("/apps/hello", {"name": "hallo"})
    assert renamed["name"] == "hallo"
    assert renamed["git_url"].endswith("/hallo.git")
    assert renamed["web_url"] == "http://hallo.localhost:8080/"
    for name in ("hallo", "hello", renamed["id"]):
        assert (await ada.get(f"/apps/{name}"))["name"] == "hallo"
    for taken in ("hallo", "hello"):
        message = await ada.refused("POST", "/apps", {"name": taken})
        assert f"Name {taken} is already taken" in message


@pytest.mark.usefixtures("app")
async def test_maintenance_and_stack(kept: World, ada: Rest) -> None:
    assert (await ada.patch("/apps/hello", {"maintenance": True}))["maintenance"] is True
    app = await kept.cluster.get(APPS, "hello", NAMESPACE)
    assert app["spec"]["maintenance"] == "Enabled"
    changed = await ada.patch("/apps/hello", {"build_stack": "debian-13"})
    assert changed["build_stack"]["name"] == "debian-13"
    assert "debian-13" in await ada.refused("PATCH", "/apps/hello", {"build_stack": "cedar-14"})
    assert [each["name"] for each in await ada.get("/stacks")] == ["debian-13"]
    assert (await ada.get("/regions"))[0]["name"] == "us"


@pytest.mark.usefixtures("app")
async def test_domains(kept: World, ada: Rest) -> None:
    kept.cluster.app("other", "team-b")
    made = await ada.post("/apps/hello/domains", {"hostname": "WWW.example.com"})
    assert (made["hostname"], made["cname"], made["status"]) == (
        "www.example.com",
        "hello.localhost",
        "none",
    )
    await ada.post("/apps/hello/domains", {"hostname": "*.example.com", "sni_endpoint": None})
    listed = await ada.get("/apps/hello/domains", Range="id ..; max=1000;")
    assert {each["hostname"] for each in listed} == {
        "hello.localhost",
        "www.example.com",
        "*.example.com",
    }
    assert "already added" in await ada.refused(
        "POST", "/apps/hello/domains", {"hostname": "www.example.com"}
    )
    await ada.post("/apps", {"name": "second"})
    assert "in use by another app" in await ada.refused(
        "POST", "/apps/second/domains", {"hostname": "www.example.com"}
    )
    for bad in ("http://x.com", "nodot", "a.localhost", "x" * 300 + ".com", "a..b.com"):
        await ada.refused("POST", "/apps/hello/domains", {"hostname": bad})
    await ada.delete("/apps/hello/domains/www.example.com")
    await ada("GET", "/apps/hello/domains/www.example.com", None, 404)
    app = await kept.cluster.get(APPS, "hello", NAMESPACE)
    assert app["spec"]["domains"] == [{"hostname": "*.example.com"}]


@pytest.mark.usefixtures("app")
async def test_buildpacks_are_kept_by_name(kept: World, ada: Rest) -> None:
    registry = "https://buildpack-registry.s3.amazonaws.com/buildpacks/heroku/python.tgz"
    updates = [{"buildpack": registry}, {"buildpack": "https://github.com/x/y.git"}]
    listed = await ada.put("/apps/hello/buildpack-installations", {"updates": updates})
    assert [each["buildpack"]["name"] for each in listed] == [
        "heroku/python",
        "https://github.com/x/y.git",
    ]
    app = await kept.cluster.get(APPS, "hello", NAMESPACE)
    assert app["spec"]["buildpacks"] == [
        {"name": "heroku/python"},
        {"url": "https://github.com/x/y.git"},
    ]
    for bad in ({}, {"buildpack": "heroku/cobol"}, {"buildpack": "ssh://x/y"}):
        body = {"updates": [bad]}
        assert await ada.refused("PUT", "/apps/hello/buildpack-installations", body)
    assert await ada.put("/apps/hello/buildpack-installations", {"updates": []}) == []
    found = await ada.get("/buildpacks/heroku%2Fpython")
    assert found["blob_url"] == registry
    await ada("GET", "/buildpacks/nobody%2Fnothing", None, 404)


@pytest.mark.usefixtures("app")
async def test_features_are_switched(kept: World, ada: Rest) -> None:
    assert {each["name"]: each["enabled"] for each in await ada.get("/apps/hello/features")} == {
        "http-session-affinity": False,
        "preboot": False,
        "runtime-dyno-metadata": True,
    }
    said = await ada.refused(
        "PATCH", "/apps/hello/features/http-session-affinity", {"enabled": True}
    )
    assert "cannot lead a visitor to the same dyno" in said
    assert (await ada.patch("/apps/hello/features/preboot", {"enabled": True}))["enabled"]
    await ada.patch("/apps/hello/features/preboot", {"enabled": False})
    await ada.patch("/apps/hello/features/runtime-dyno-metadata", {"enabled": False})
    spec = (await kept.cluster.get(APPS, "hello", NAMESPACE))["spec"]
    assert spec["rollout"] == {"strategy": "Replace"}
    assert spec["dynoMetadata"] == "Disabled"
    await ada("PATCH", "/account/features/nope", {"enabled": True}, 404)


@pytest.mark.usefixtures("app")
async def test_members_and_collaborators(ada: Rest) -> None:
    assert [each["name"] for each in await ada.get("/teams")] == [NAMESPACE]
    await ada("GET", "/teams/team-b", None, 404)
    await ada.put(f"/teams/{NAMESPACE}/members", {"email": "bob@example.com", "role": "admin"})
    await ada.post("/apps/hello/collaborators", {"user": "eve@example.com"})
    members = await ada.get(f"/teams/{NAMESPACE}/members")
    assert {each["email"]: each["role"] for each in members} == {
        "bob@example.com": "admin",
        "eve@example.com": "member",
    }
    await ada.patch(f"/teams/{NAMESPACE}/members", {"email": "bob@example.com", "role": "viewer"})
    listed = await ada.get("/apps/hello/collaborators")
    assert {each["user"]["email"]: each["role"] for each in listed} == {
        "bob@example.com": "viewer",
        "eve@example.com": "member",
    }
    await ada.delete("/apps/hello/collaborators/eve@example.com")
    await ada("DELETE", "/apps/hello/collaborators/eve@example.com", None, 404)


@pytest.mark.usefixtures("app")
async def test_an_app_is_given_and_locked(ada: Rest) -> None:
    await ada.put(f"/teams/{NAMESPACE}/members", {"email": "bob@example.com", "role": "member"})
    wish = {"app": "hello", "recipient": "bob@example.com"}
    assert (await ada.post("/account/app-transfers", wish))["state"] == "accepted"
    assert (await ada.get("/apps/hello"))["owner"]["email"] == "bob@example.com"
    await ada.patch("/teams/apps/hello", {"owner": NAMESPACE})
    assert (await ada.get("/apps/hello"))["team"]["name"] == NAMESPACE
    assert (await ada.patch("/teams/apps/hello", {"locked": True}))["locked"] is True
    assert "cannot move" in await ada.refused("PATCH", "/teams/apps/hello", {"owner": "team-b"})


async def test_an_authorization_acts_for_its_owner_until_it_is_revoked(
    kept: World, ada: Rest
) -> None:
    made = await ada.post("/oauth/authorizations", {"description": "ci", "expires_in": "3600"})
    await ada.refused("POST", "/oauth/authorizations", {"expires_in": "soon"})
    token = made["access_token"]["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert (await ada("GET", "/account", None, 200, **headers)).body["email"] == USER
    listed = await ada.get("/oauth/authorizations", **headers)
    assert listed[0]["access_token"]["token"] == token
    assert (await ada.get("/oauth/authorizations"))[0]["access_token"] is None
    rotated = await ada.post(
        f"/oauth/authorizations/{made['id']}/actions/regenerate-tokens", status=200
    )
    assert rotated["id"] == made["id"]
    assert rotated["access_token"]["token"] != token
    await ada.delete(f"/oauth/authorizations/{made['id']}")
    fresh = {"Authorization": f"Bearer {rotated['access_token']['token']}"}
    await ada("GET", "/account", None, 401, **fresh)
    assert await ada.get("/oauth/authorizations") == []
    assert kept.cluster


async def test_a_password_is_answered_with_the_token_that_it_is(kept: World, ada: Rest) -> None:
    basic = base64.b64encode(b"ada@example.com:token-of-ada").decode()
    found = await ada(
        "POST",
        "/oauth/authorizations",
        {"scope": ["global"], "expires_in": 60},
        201,
        Authorization=f"Basic {basic}",
    )
    assert found.body["access_token"]["token"] == "token-of-ada"
    assert kept.cluster


@pytest.mark.usefixtures("app")
async def test_lists_come_in_pages(ada: Rest) -> None:
    for value in "abc":
        await ada.patch("/apps/hello/config-vars", {"A": value})
    first = await ada(
        "GET", "/apps/hello/releases", None, 206, Range="version ..; max=2, order=desc"
    )
    assert [each["version"] for each in first.body] == [5, 4]
    again = await ada("GET", "/apps/hello/releases", None, 206, Range=first.headers["Next-Range"])
    assert [each["version"] for each in again.body] == [3, 2]
    last = await ada("GET", "/apps/hello/releases", None, 200, Range=again.headers["Next-Range"])
    assert ([each["version"] for each in last.body], last.headers.get("Next-Range")) == ([1], None)
    for bad in ("nonsense", "version ..; max=0", "nope a..; max=3"):
        await ada("GET", "/apps/hello/releases", None, 416, Range=bad)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    "path",
    [
        "/addons",
        "/apps/hello/addons",
        "/addon-attachments",
        "/pipelines",
        "/spaces",
        "/account/keys",
        "/oauth/sessions",
        "/oauth/clients",
        f"/teams/{NAMESPACE}/features",
        f"/teams/{NAMESPACE}/invitations",
    ],
)
async def test_what_is_not_there_is_an_empty_list(ada: Rest, path: str) -> None:
    assert await ada.get(path) == []


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        ("GET", "/apps/hello/pipeline-couplings", "pipeline_coupling"),
        ("DELETE", "/oauth/sessions/~", "session"),
        ("GET", "/addons/x", "add_on"),
        ("GET", "/apps/hello/addon-attachments/x", "add_on attachment"),
        ("GET", "/spaces/x", "space"),
        ("GET", "/pipelines/x", "pipeline"),
        ("GET", "/teams/nobody@example.com", "team"),
        ("PATCH", "/spaces/x", "space"),
        ("PUT", "/spaces/x/log-drain", "space"),
        ("DELETE", "/spaces/x/vpn-connections/y", "space"),
        ("PATCH", "/pipelines/x", "pipeline"),
        ("GET", "/pipelines/x/stage/test/config-vars", "pipeline"),
        ("GET", "/oauth/clients/x", "oauth_client"),
        ("POST", "/oauth/clients/x/actions/rotate-credentials", "oauth_client"),
        ("GET", "/apps/hello/review-app", "review_app"),
    ],
)
async def test_what_is_not_there_is_said_by_its_kind(
    ada: Rest, method: str, path: str, resource: str
) -> None:
    found = await ada(method, path, None, 404)
    assert (found.body["id"], found.body["resource"]) == ("not_found", resource)


@pytest.mark.usefixtures("app")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/apps/hello/addons"),
        ("POST", "/pipelines"),
        ("POST", "/spaces"),
        ("POST", "/account/keys"),
        ("POST", "/apps/hello/acm"),
        ("POST", "/teams"),
    ],
)
async def test_what_cannot_be_made_is_refused_in_a_sentence(
    ada: Rest, method: str, path: str
) -> None:
    found = await ada(method, path, {"public_key": "x", "plan": "x", "name": "abc", "team": "x"})
    assert found.status == 422
    assert len(found.message) > 20


async def test_nobody_leaves_an_app_of_theirs_or_a_team_without_an_administrator(
    ada: Rest, app: Json
) -> None:
    mine = await ada.post("/apps", {"name": "mine"})
    said = await ada.refused("DELETE", f"/apps/mine/collaborators/{USER}")
    assert said.startswith(f"{USER} owns mine: hand it over")
    await ada.post(f"/teams/{NAMESPACE}/members", {"email": "eve@example.com", "role": "admin"})
    said = await ada.refused("DELETE", f"/teams/{NAMESPACE}/members/eve@example.com")
    assert "is the last administrator of team team-a" in said
    assert (mine["name"], app["name"]) == ("mine", "hello")


async def test_an_add_on_without_an_app_is_not_found(ada: Rest) -> None:
    body = {"addon": "nothing", "app": None}
    found = await ada("POST", "/actions/addons/resolve", body, 404)
    assert (found.body["id"], found.body["resource"]) == ("not_found", "add_on")
