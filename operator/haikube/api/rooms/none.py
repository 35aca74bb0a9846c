"""What this platform does not have: lists are empty, everything else says so in one sentence."""

from __future__ import annotations

from typing import Final

from haikube.api.kernel.call import Call
from haikube.api.kernel.endpoint import Room
from haikube.api.kernel.problems import Problem, invalid, not_found
from haikube.cluster.port import Json

room: Final = Room()

_NO_ADDONS: Final = (
    "This platform has no add-ons: run the service beside it, and set its address as a config var."
)
_NO_PIPELINES: Final = "Pipelines are not there yet: deploy to each app, or by GitOps."
_NO_SPACES: Final = "This platform has no Private Spaces: a team is a namespace of the cluster."


@room.get(
    "/apps/{app}/addons",
    "/apps/{app}/addon-attachments",
    "/apps/{app}/telemetry-drains",
)
async def nothing_of_app(call: Call) -> list[Json]:
    """Answer an empty list, of an app that is there."""
    await call.app()
    return []


@room.get(
    "/addons",
    "/addon-attachments",
    "/addon-services",
    "/users/{user}/addons",
    "/pipelines",
    "/pipeline-couplings",
    "/spaces",
    "/enterprise-accounts",
    "/oauth/clients",
)
async def nothing(call: Call) -> list[Json]:
    """Answer an empty list."""
    del call
    return []


@room.get("/apps/{app}/usage", "/teams/{team}/apps/{app}/usage")
async def no_usage_of_app(call: Call) -> Json:
    """Answer that no add-on of an app was used."""
    await call.app()
    return {"addons": []}


@room.post("/filters/apps", status=200)
async def no_apps(call: Call) -> list[Json]:
    """Answer that no pipeline holds an app."""
    await call.body()
    return []


@room.get("/apps/{app}/pipeline-couplings")
async def no_coupling(call: Call) -> Json:
    """Answer that an app is in no pipeline."""
    await call.app()
    raise not_found("pipeline_coupling", call.path("app"))


@room.get(
    "/addons/{addon}",
    "/apps/{app}/addons/{addon}",
    "/addon-services/{addon}",
    "/addon-services/{addon}/plans",
    "/addons/{addon}/addon-attachments",
)
async def no_addon(call: Call) -> Json:
    """Answer that there is no such add-on."""
    raise not_found("add_on", call.path("addon"))


@room.get("/apps/{app}/addon-attachments/{addon}", "/addon-attachments/{addon}")
async def no_attachment(call: Call) -> Json:
    """Answer that there is no such attachment."""
    raise not_found("add_on attachment", call.path("addon"))


@room.post("/actions/addons/resolve", status=200)
async def resolve_addon(call: Call) -> Json:
    """Answer that there is no such add-on, or app."""
    wish = await call.body()
    await _require_app(call, wish.get("app"))
    raise not_found("add_on", str(wish.get("addon")))


@room.post("/actions/addon-attachments/resolve", status=200)
async def resolve_attachment(call: Call) -> Json:
    """Answer that there is no such attachment, or app."""
    wish = await call.body()
    await _require_app(call, wish.get("app"))
    raise not_found("add_on attachment", str(wish.get("addon_attachment")))


@room.post("/apps/{app}/addons")
@room.patch("/apps/{app}/addons/{addon}")
@room.delete("/apps/{app}/addons/{addon}")
async def refuse_addon(call: Call) -> Json:
    """Refuse an add-on."""
    await call.app()
    raise invalid(_NO_ADDONS)


@room.get("/client/{rest:path}", "/data/{rest:path}", "/postgres/{rest:path}")
async def no_data_service(call: Call) -> Json:
    """Answer what asks for a database of Heroku's."""
    del call
    raise Problem(404, "not_found", _NO_ADDONS)


@room.post("/addon-attachments")
async def refuse_attachment(call: Call) -> Json:
    """Refuse an attachment."""
    del call
    raise invalid(_NO_ADDONS)


@room.get("/pipelines/{pipeline}", "/pipelines/{pipeline}/{what:path}")
@room.put("/pipelines/{pipeline}/{what:path}")
@room.post("/pipelines/{pipeline}/{what:path}")
@room.patch("/pipelines/{pipeline}", "/pipelines/{pipeline}/{what:path}")
@room.delete("/pipelines/{pipeline}", "/pipelines/{pipeline}/{what:path}")
async def no_pipeline(call: Call) -> Json:
    """Answer that there is no such pipeline."""
    raise not_found("pipeline", call.path("pipeline"))


@room.post(
    "/pipelines",
    "/pipeline-couplings",
    "/pipeline-promotions",
    "/pipeline-transfers",
    "/review-apps",
    "/test-runs",
    "/app-setups",
)
async def refuse_pipeline(call: Call) -> Json:
    """Refuse a pipeline, and what belongs to one."""
    del call
    raise invalid(_NO_PIPELINES)


@room.get("/spaces/{space}", "/spaces/{space}/{what:path}")
@room.put("/spaces/{space}/{what:path}")
@room.post("/spaces/{space}/{what:path}")
@room.patch("/spaces/{space}", "/spaces/{space}/{what:path}")
@room.delete("/spaces/{space}", "/spaces/{space}/{what:path}")
async def no_space(call: Call) -> Json:
    """Answer that there is no such space."""
    raise not_found("space", call.path("space"))


@room.post("/spaces")
async def refuse_space(call: Call) -> Json:
    """Refuse a space."""
    del call
    raise invalid(_NO_SPACES)


@room.get("/telemetry-drains/{drain}")
@room.delete("/telemetry-drains/{drain}")
async def no_telemetry(call: Call) -> Json:
    """Answer that there is no such drain."""
    raise not_found("telemetry_drain", call.path("drain"))


@room.post("/apps/{app}/telemetry-drains", "/telemetry-drains")
async def refuse_telemetry(call: Call) -> Json:
    """Refuse a telemetry drain."""
    if "app" in call.request.path_params:
        await call.app()
    raise invalid("Telemetry drains are not there yet: collect from the cluster's own metrics.")


@room.get("/oauth/sessions")
async def list_sessions(call: Call) -> list[Json]:
    """Answer that logins are not kept: a login is a token of the cluster."""
    del call
    return []


@room.delete("/oauth/sessions/{session}")
async def no_session(call: Call) -> Json:
    """Answer that there is no such session."""
    raise not_found("session", call.path("session"))


@room.post("/oauth/clients", "/oauth/tokens")
async def refuse_oauth(call: Call) -> Json:
    """Refuse what belongs to OAuth with other services."""
    del call
    raise invalid("OAuth clients are not there: tokens come from heroku authorizations:create.")


@room.get("/oauth/clients/{client}")
@room.patch("/oauth/clients/{client}")
@room.delete("/oauth/clients/{client}")
@room.post("/oauth/clients/{client}/actions/rotate-credentials")
async def no_client(call: Call) -> Json:
    """Answer that there is no such OAuth client."""
    raise not_found("oauth_client", call.path("client"))


@room.get("/apps/{app}/review-app")
async def no_review_app(call: Call) -> Json:
    """Answer that an app was not made for a review."""
    await call.app()
    raise not_found("review_app", call.path("app"))


@room.get("/account/keys")
async def no_keys(call: Call) -> list[Json]:
    """Answer that nobody has an SSH key here."""
    del call
    return []


@room.post("/account/keys")
async def refuse_key(call: Call) -> Json:
    """Refuse an SSH key, with the reason."""
    del call
    raise invalid(
        "SSH keys are of no use here: git speaks HTTPS with this platform, with your token "
        "as the password. See: haikube login"
    )


@room.get("/account/keys/{key}")
@room.delete("/account/keys/{key}")
async def no_key(call: Call) -> Json:
    """Answer that there is no such key."""
    raise not_found("key", call.path("key"))


async def _require_app(call: Call, app: object) -> None:
    if isinstance(app, str):
        await call.context.directory.find(call.caller, app)
