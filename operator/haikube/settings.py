"""Every setting of the platform, in one place.

Each field is read from the environment variable ``HAIKUBE_<NAME>`` (the ConfigMap
``haikube-settings`` and the Secret ``haikube-storage`` in an installed platform). Nothing else in
Haikube reads the environment for a setting.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PLATFORM = "haikube-system"
"""The namespace of the platform, unless a setting says otherwise."""


def _words(value: object) -> object:
    if not isinstance(value, str):
        return value
    return [each for word in value.split(",") if (each := word.strip())]


def _json(value: object) -> object:
    try:
        return json.loads(value or "{}") if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"it is not JSON: {error}") from None


def _json_object(value: object) -> object:
    found = _json(value)
    if not isinstance(found, Mapping) or not all(isinstance(each, str) for each in found.values()):
        raise ValueError('it is not a JSON object of texts, such as {"NAME": "value"}')
    return found


Words = Annotated[frozenset[str], NoDecode, BeforeValidator(_words)]
"""Written with commas between the words."""

Texts = Annotated[Mapping[str, str], NoDecode, BeforeValidator(_json_object)]
"""Written as a JSON object."""


class DynoSize(BaseModel):
    """What a site changes of a dyno size; quantities as Kubernetes writes them."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel)

    memory: str | None = None
    cpu: str | None = None
    memory_request: str | None = None
    cpu_request: str | None = None
    node_selector: Mapping[str, str] | None = None


Sizes = Annotated[Mapping[str, DynoSize], NoDecode, BeforeValidator(_json)]
"""Written as a JSON object of objects."""


class Settings(BaseSettings):
    """Durations in seconds, sizes in bytes, unless a field says otherwise."""

    model_config = SettingsConfigDict(env_prefix="HAIKUBE_", frozen=True, extra="ignore")

    # Where apps answer
    domain: str = Field(default="localhost", description="apps answer at <app>.<domain>")
    scheme: Literal["http", "https"] = Field(default="http", description="scheme of app URLs")
    public_port: int = Field(default=80, description="port of app URLs; 80 and 443 are not printed")
    gateway_name: str = Field(default="haikube", description="Gateway that HTTPRoutes attach to")
    gateway_namespace: str = Field(
        default="haikube-gateway", description="namespace of that Gateway"
    )
    gateway_class: str = Field(
        default="haikube", description="GatewayClass of the listeners for certificates of apps"
    )
    gateway_tls_port: int = Field(
        default=8443, description="port of those listeners, on which the gateway ends TLS"
    )
    session_affinity: bool = Field(
        default=False,
        description="the gateway knows sessionPersistence of HTTPRoutes: an app may ask for it",
    )
    certificate_issuer: str = Field(
        default="",
        description="ClusterIssuer of cert-manager that makes automatic certificates; "
        "empty: there are none",
    )
    gateway_address: str = Field(
        default="",
        description="URL at which the api asks the gateway what answers; empty: it does not ask",
    )
    gateway_pods: str = Field(
        default="app.kubernetes.io/name=haikube-gateway",
        description="labels of the gateway's pods, whose access log tells of requests; empty: none",
    )
    reserved_hosts: Words = Field(
        default=frozenset({"api", "git", "www"}), description="app names that the platform keeps"
    )

    # The platform itself
    namespace: str = Field(default=PLATFORM, description="where operator and api run")
    identity: str = Field(default="", description="name of this replica in the leader Lease")
    lease_seconds: float = Field(
        default=7.0, description="a leader that is silent this long is replaced"
    )
    resync_seconds: float = Field(
        default=600.0, description="replace-and-diff of every kind, +-20 %"
    )
    workers: int = Field(default=32, description="reconciles at once")
    metrics_port: int = Field(default=9090, description="port of /metrics, /healthz and /readyz")
    api_port: int = Field(default=8080, description="port of the api")
    log_level: str = Field(default="info", description="debug, info, warning or error")

    # Stacks and images
    default_stack: str = Field(default="debian-13", description="stack of apps that name none")
    image_pull_policy: Literal["IfNotPresent", "Always", "Never"] = Field(
        default="IfNotPresent", description="pull policy of build pods and dynos"
    )

    # Builds
    build_timeout: int = Field(default=900, description="longest compile")
    build_memory: str = Field(default="2560Mi", description="memory limit of a build pod")
    build_cpu: str = Field(default="2", description="cpu limit of a build pod")
    build_cpu_request: str = Field(
        default="10m",
        description="cpu request of a build pod; that of a small dyno, so that builds do not slow "
        "down dynos on a busy node",
    )
    build_memory_request: str = Field(default="256Mi", description="memory request of a build pod")
    build_disk: str = Field(default="8Gi", description="scratch space of a build pod")
    source_limit: int = Field(default=1 << 30, description="largest source archive or push")
    slug_limit: int = Field(default=500_000_000, description="largest slug, packed")
    slug_warning: int = Field(default=300_000_000, description="a slug over this is warned about")
    cache_limit: int = Field(
        default=2_000_000_000, description="largest build cache, packed; a larger one is not kept"
    )
    build_history: int = Field(default=20, description="finished builds kept per app")
    build_log_limit: int = Field(
        default=20_000_000, description="bytes of a build log that are kept"
    )
    build_overhead: int = Field(
        default=300, description="added to a build's timeout for start, fetch and upload"
    )
    build_runtime_class: str = Field(
        default="", description="RuntimeClass of build pods, such as gvisor; empty: the cluster's"
    )
    build_ttl: int = Field(
        default=3600, description="a finished build Job and its pod are kept this long"
    )
    ca_bundle_configmap: str = Field(
        default="",
        description="ConfigMap with ca-bundle.crt, copied to builds as extra trusted CAs",
    )
    build_env: Texts = Field(
        default={}, description="JSON object of environment variables for builds: mirrors, proxies"
    )
    buildpacks: Texts = Field(
        default={},
        description="JSON object of buildpack names: what each stands for, one of ours or a URL",
    )

    # Dynos
    boot_timeout: int = Field(
        default=60, description="a web process must bind $PORT within this of its launch (R10)"
    )
    shutdown_grace: int = Field(default=30, description="from SIGTERM to SIGKILL")
    dyno_sizes: Sizes = Field(
        default={},
        description="JSON object of dyno sizes: memory, cpu, memoryRequest, cpuRequest and "
        "nodeSelector of each, as far as they differ from the built-in ones",
    )
    dyno_port: int = Field(default=8080, description="value of PORT in web dynos")
    max_surge: str = Field(
        default="100%", description="extra dynos during a rollout, number or percent"
    )
    dyno_runtime_class: str = Field(
        default="", description="RuntimeClass of dynos, such as gvisor; empty: the cluster's"
    )
    user_namespaces: Literal["auto", "on", "off"] = Field(
        default="auto",
        description="builds and dynos get user ids of their own (hostUsers: false); auto: where "
        "every node has user namespaces and no RuntimeClass is set",
    )
    drain_seconds: int = Field(
        default=5,
        description="a web dyno keeps serving this long before SIGTERM, until routes know",
    )
    handover_seconds: int = Field(
        default=180,
        description="the drain of a node waits at most this long for the replacement of a web dyno "
        "that is alone; 0: it does not wait",
    )
    slug_rate: int = Field(
        default=10_000_000,
        description="bytes per second of slug that a rollout is given more time for",
    )
    worker_ready_seconds: int = Field(
        default=3, description="a dyno without port counts as up when it has run this long"
    )
    release_timeout: int = Field(default=3600, description="longest release phase")
    dyno_history: int = Field(
        default=3600, description="a one-off dyno that has ended is remembered this long"
    )
    builds_at_once: int = Field(
        default=20, description="builds that run at a time, shared evenly by namespaces"
    )
    stack_rollouts: int = Field(
        default=5, description="process types that move to a stack's new image at a time"
    )
    release_history: int = Field(default=50, description="releases kept per app")
    slug_url_seconds: int = Field(
        default=604_800, description="life of a presigned slug URL, at most 7 d"
    )

    # Object storage
    storage_endpoint: str = Field(default="", description="S3 endpoint URL; empty: AWS")
    storage_bucket: str = Field(default="haikube", description="bucket")
    storage_region: str = Field(default="us-east-1", description="region")
    storage_access_key: SecretStr = Field(default=SecretStr(""), description="access key id")
    storage_secret_key: SecretStr = Field(default=SecretStr(""), description="secret access key")
    storage_limit: int = Field(
        default=0, description="bytes stored from which on builds are refused; 0: no limit"
    )
    sweep_seconds: float = Field(default=3600.0, description="mark-and-sweep of the storage")
    sweep_grace: int = Field(
        default=3600, description="an upload or a purged cache younger than this is never swept"
    )
    sweep_history_grace: int = Field(
        default=86_400, description="slugs and logs that nothing names are kept this long"
    )
    sweep_app_grace: int = Field(
        default=259_200, description="gone apps and runtimes that no Stack names are kept this long"
    )
    sweep_share: int = Field(
        default=10, description="percent of apps, slugs and logs, runtimes that one sweep removes"
    )

    # Log store
    log_store_url: str = Field(
        default="", description="VictoriaLogs URL; empty: only living dynos have logs"
    )
    log_store_user: str = Field(default="haikube", description="user name for the log store")
    log_store_password: SecretStr = Field(
        default=SecretStr(""), description="password for the log store; empty: none is sent"
    )

    # Drains
    drain_networks: Words = Field(
        default=frozenset(),
        description="private networks that log drains may reach, as CIDRs; empty: none",
    )

    # git and api
    git_cache: int = Field(
        default=4 << 30, description="scratch space for git packs in each api process"
    )
    default_namespace: str = Field(
        default="default", description="where apps are made for callers who name no team"
    )
    strict_release: bool = Field(
        default=False,
        description="a push whose release command fails ends with an error, for CI to see",
    )
    webhook_networks: Words = Field(
        default=frozenset(),
        description="private networks that webhooks may reach, such as 10.1.0.0/16; public "
        "addresses they may reach anyway",
    )
    push_timeout: int = Field(default=3600, description="longest push, build included")
    fetch_timeout: int = Field(default=1800, description="longest clone or fetch")
    git_repository_limit: int = Field(
        default=2 << 30, description="what the branches and tags of one repository may need, packed"
    )
    git_refs_limit: int = Field(default=5000, description="branches and tags of one repository")
    git_memory: int = Field(
        default=400 << 20,
        description="memory of one git process; several run in one api process, "
        "whose pod limits them together",
    )
    git_pushes: int = Field(default=100, description="pushes at once in each api process")
    git_fetches: int = Field(default=50, description="clones and fetches at once, likewise")
    git_each: int = Field(default=10, description="of either, how many of one person")


def read_settings(program: str) -> Settings:
    """Return the settings; a wrong one ends the program with its name and what is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        for each in error.errors(include_input=False, include_url=False):
            name = "_".join(str(part) for part in each["loc"]).upper()
            sys.stderr.write(f"{program}: setting HAIKUBE_{name}: {each['msg']}\n")
        sys.exit(2)
