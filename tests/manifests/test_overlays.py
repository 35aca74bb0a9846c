"""Kustomizations build, and their parts find each other."""

from __future__ import annotations

import shlex

import pytest
import yaml

from haikube.model.labels import APP
from haikube.model.names import config_secret_name
from haikube.settings import Settings
from manifests.built import MANIFESTS, OVERLAYS, Object, build, of_kind, one, pods

FOLDERS = (*OVERLAYS, "base", "samples/git", "samples/blob", "extras/team")
each_overlay = pytest.mark.parametrize("overlay", OVERLAYS)


def settings_of(overlay: str) -> dict[str, str]:
    (found,) = (
        each
        for each in of_kind(overlay, "ConfigMap")
        if each["metadata"]["name"].startswith("haikube-settings")
    )
    return dict(found["data"])


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_kustomization_builds(folder: str) -> None:
    assert build(folder)


@each_overlay
def test_every_setting_is_one_that_exists(overlay: str) -> None:
    known = {f"HAIKUBE_{name.upper()}" for name in Settings.model_fields}

    assert set(settings_of(overlay)) <= known


@each_overlay
def test_the_settings_are_valid(overlay: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in settings_of(overlay).items():
        monkeypatch.setenv(name, value)

    found = Settings()

    assert found.storage_endpoint == (
        f"http://haikube-storage.{found.namespace}.svc.cluster.local:8333"
    )
    gateway = one(overlay, "Gateway", found.gateway_name)
    assert gateway["metadata"]["namespace"] == found.gateway_namespace


@each_overlay
def test_a_changed_setting_rolls_the_pods(overlay: str) -> None:
    (name,) = (
        each["metadata"]["name"]
        for each in of_kind(overlay, "ConfigMap")
        if each["metadata"]["name"].startswith("haikube-settings-")
    )

    for owner in ("haikube-operator", "haikube-api"):
        (container,) = one(overlay, "Deployment", owner)["spec"]["template"]["spec"]["containers"]
        assert {"configMapRef": {"name": name}} in container["envFrom"]


@each_overlay
def test_the_api_answers_at_its_name(overlay: str) -> None:
    route = one(overlay, "HTTPRoute", "haikube-api")["spec"]

    assert route["hostnames"] == [f"api.{settings_of(overlay)['HAIKUBE_DOMAIN']}"]
    assert {(each["name"], each["sectionName"]) for each in route["parentRefs"]} == {
        ("haikube", "apiplain"),
        ("haikube", "apitls"),
    }


@each_overlay
def test_the_api_has_listeners_that_nobody_else_may_use(overlay: str) -> None:
    domain = settings_of(overlay)["HAIKUBE_DOMAIN"]
    listeners = {
        each["name"]: each for each in one(overlay, "Gateway", "haikube")["spec"]["listeners"]
    }
    platform = {"matchLabels": {"kubernetes.io/metadata.name": "haikube-system"}}
    taken = [each["port"] for each in listeners.values()]

    assert len(set(taken)) == len(taken), "Traefik keeps no listeners of one port apart"
    for name in ("apiplain", "apitls"):
        allowed = listeners[name]["allowedRoutes"]["namespaces"]
        assert allowed == {"from": "Selector", "selector": platform}
        assert listeners[name]["hostname"] == f"api.{domain}"
    assert all(
        each["allowedRoutes"]["kinds"] == [{"kind": "HTTPRoute"}] for each in listeners.values()
    )
    assert gateway_env(overlay)["HAIKUBE_DOMAIN"] == domain


@each_overlay
def test_requests_of_the_api_and_of_traefik_itself_are_in_no_log_of_the_gateway(
    overlay: str,
) -> None:
    arguments = gateway(overlay)["args"]

    for name in ("apiplain", "apitls", "kube"):
        assert f"--entrypoints.{name}.observability.accesslogs=false" in arguments
        assert any(
            word.startswith(f"--entrypoints.{name}.address=127.0.0.1:") for word in arguments
        )


def test_apps_are_not_open_to_requests_that_trickle_and_strangers_headers() -> None:
    arguments = gateway("overlays/production")["args"]
    env = gateway_env("overlays/production")

    assert env["HAIKUBE_READ_TIMEOUT"] == "180s"
    assert env["HAIKUBE_TRUSTED_PROXIES"] == "127.0.0.1/32"
    assert env["HAIKUBE_PLAIN_API"] == "false"
    for name in ("web", "websecure", "apiplain", "apitls"):
        timeout = f"--entrypoints.{name}.transport.respondingtimeouts.readtimeout"
        longest = "3600s" if name.startswith("api") else "$(HAIKUBE_READ_TIMEOUT)"
        assert f"{timeout}={longest}" in arguments
    for name in ("web", "websecure"):
        proxies = f"--entrypoints.{name}.forwardedheaders.trustedips"
        assert f"{proxies}=$(HAIKUBE_TRUSTED_PROXIES)" in arguments


@each_overlay
def test_a_connection_to_a_dyno_is_left_before_a_server_would_close_it(overlay: str) -> None:
    """The shortest of the usual servers is gunicorn's: 2 s."""
    idle = "--serverstransport.forwardingtimeouts.idleconntimeout="
    [seconds] = [each.removeprefix(idle) for each in gateway(overlay)["args"] if idle in each]
    assert seconds == "1s"


def gateway(overlay: str) -> Object:
    pod = one(overlay, "Deployment", "haikube-gateway")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return dict(container)


def gateway_env(overlay: str) -> dict[str, str]:
    return {each["name"]: each["value"] for each in gateway(overlay)["env"]}


@each_overlay
def test_metrics_of_the_api_stay_inside(overlay: str) -> None:
    rules = one(overlay, "HTTPRoute", "haikube-api")["spec"]["rules"]
    rewritten = {
        match["path"]["value"]: match["path"]["type"]
        for rule in rules
        if any(each["type"] == "URLRewrite" for each in rule.get("filters", ()))
        for match in rule["matches"]
    }

    assert rewritten == {"/metrics": "Exact", "/readyz": "Exact"}


@each_overlay
def test_ports_of_probes_and_services_are_those_of_the_settings(overlay: str) -> None:
    defaults = Settings.model_fields
    operator = one(overlay, "Deployment", "haikube-operator")["spec"]["template"]["spec"]
    api = one(overlay, "Deployment", "haikube-api")["spec"]["template"]["spec"]

    assert [each["containerPort"] for each in operator["containers"][0]["ports"]] == [
        defaults["metrics_port"].default
    ]
    assert [each["containerPort"] for each in api["containers"][0]["ports"]] == [
        defaults["api_port"].default
    ]


@each_overlay
def test_every_service_finds_its_pods(overlay: str) -> None:
    found = list(pods(overlay))

    for service in of_kind(overlay, "Service"):
        chosen = [
            pod
            for pod in found
            if service["spec"]["selector"].items() <= pod.labels.items()
            and pod.namespace == service["metadata"]["namespace"]
        ]
        assert len(chosen) == 1, service["metadata"]["name"]
        names = {port["name"] for each in chosen[0].spec["containers"] for port in each["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= names


@each_overlay
def test_the_gateway_listens_where_its_listeners_are(overlay: str) -> None:
    words = gateway(overlay)["args"]
    listeners = {
        each["name"]: each["port"]
        for each in one(overlay, "Gateway", "haikube")["spec"]["listeners"]
    }

    for name, port in listeners.items():
        (address,) = (each for each in words if each.startswith(f"--entrypoints.{name}.address="))
        assert address.endswith(f":{port}")


@each_overlay
def test_nothing_calls_home(overlay: str) -> None:
    words = [
        word
        for pod in pods(overlay)
        for each in pod.spec["containers"]
        for word in each.get("args", ())
    ]

    assert "-master.telemetry=false" in words
    assert "--global.sendanonymoususage=false" in words
    assert "--global.checknewversion=false" in words


def test_a_full_storage_refuses_what_is_written_before_its_volume_is_full() -> None:
    pod = one("overlays/local", "Deployment", "haikube-storage")["spec"]["template"]["spec"]
    (weed,) = pod["containers"]
    (data,) = (each for each in pod["volumes"] if each["name"] == "data")
    volumes = next(
        int(each["value"]) for each in weed["env"] if each["name"] == "HAIKUBE_STORAGE_VOLUMES"
    )
    limit = int(settings_of("overlays/local")["HAIKUBE_STORAGE_LIMIT"])

    assert "-master.volumeSizeLimitMB=1024" in weed["args"]
    assert "-volume.max=$(HAIKUBE_STORAGE_VOLUMES)" in weed["args"]
    assert data == {"name": "data", "persistentVolumeClaim": {"claimName": "haikube-storage"}}
    claim = one("overlays/local", "PersistentVolumeClaim", "haikube-storage")["spec"]
    assert volumes < int(claim["resources"]["requests"]["storage"].removesuffix("Gi"))
    assert limit < volumes * (1 << 30) * 0.7, "a third may be bytes that are deleted already"


@each_overlay
def test_the_bytes_outlive_the_pod_that_a_new_manifest_replaces(overlay: str) -> None:
    pod = one(overlay, "Deployment", "haikube-storage")["spec"]["template"]["spec"]
    (data,) = (each for each in pod["volumes"] if each["name"] == "data")

    assert data == {"name": "data", "persistentVolumeClaim": {"claimName": "haikube-storage"}}
    assert one(overlay, "PersistentVolumeClaim", "haikube-storage")


@each_overlay
def test_nothing_in_the_platforms_namespace_is_open_unless_said(overlay: str) -> None:
    policy = one(overlay, "NetworkPolicy", "haikube-default-deny")["spec"]

    assert policy == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


@pytest.mark.parametrize("sample", ["samples/git", "samples/blob"])
def test_the_config_of_a_sample_is_found(sample: str) -> None:
    (app,) = of_kind(sample, "App")
    (secret,) = of_kind(sample, "Secret")
    name = app["metadata"]["name"]

    wanted = app["spec"].get("configRef", {}).get("name", config_secret_name(name))
    assert secret["metadata"]["name"] == wanted
    assert secret["metadata"]["labels"] == {APP: name}


def egress_blocks() -> list[Object]:
    rules = one("extras/team", "NetworkPolicy", "haikube-egress")["spec"]["egress"]
    return [peer["ipBlock"] for rule in rules for peer in rule["to"] if "ipBlock" in peer]


def test_untrusted_code_reaches_neither_cluster_nor_metadata() -> None:
    (v4,) = (block for block in egress_blocks() if block["cidr"] == "0.0.0.0/0")

    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16"} <= set(v4["except"])


def test_argo_cd_judges_every_kind_by_the_same_rule() -> None:
    text = (MANIFESTS / "extras" / "argocd-health.yaml").read_text()
    data = yaml.safe_load(text)["data"]
    kinds = ("App", "Build", "Release", "Formation", "Dyno", "Stack")

    assert list(data) == [f"resource.customizations.health.haikube.dev_{kind}" for kind in kinds]
    assert len(set(data.values())) == 1
    for word in ("Ready", "Reconciling", "Stalled", "observedGeneration"):
        assert word in data["resource.customizations.health.haikube.dev_App"]


def test_no_argument_needs_a_shell() -> None:
    for overlay in OVERLAYS:
        for pod in pods(overlay):
            for container in pod.spec["containers"]:
                words = [*container["command"], *container.get("args", ())]
                assert all(shlex.split(word) == [word] for word in words), words
