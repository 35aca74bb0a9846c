"""What a user may choose about the local cluster: ``HAIKUBE_LOCAL_<NAME>`` in the environment."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

ProviderName = Literal["auto", "native", "kind"]


class LocalOptions(BaseSettings):
    """Options of ``haikube local``; every one has a default that works on a fresh machine."""

    model_config = SettingsConfigDict(env_prefix="HAIKUBE_LOCAL_", frozen=True, extra="ignore")

    provider: ProviderName = Field(default="auto", description="auto: kind where Docker can run it")
    instance: str = Field(
        default="haikube", pattern="^[a-z]{1,12}$", description="name of the node on this machine"
    )
    address: str = Field(default="127.0.0.1", description="host address of the gateway's ports")
    http_port: int = Field(default=8080, description="host port of http://<app>.localhost")
    https_port: int = Field(default=8443, description="host port of https://<app>.localhost")
    subnet: str = Field(
        default="", description="/24 between host and node; empty: the first free one"
    )
    ca_bundle: Path = Field(
        default=Path("/etc/ssl/certs/ca-certificates.crt"),
        description="CAs that builds trust besides their own, e.g. a company's",
    )
    build_env: str = Field(
        default="",
        validation_alias=AliasChoices("HAIKUBE_LOCAL_BUILD_ENV", "HAIKUBE_BUILD_ENV"),
        description="JSON object of environment variables for builds: mirrors, proxies",
    )
    mirror: str = Field(
        default="", description="Debian mirror of the stack images; empty: the default"
    )
    ready_seconds: float = Field(default=120.0, description="longest wait for the control plane")
    rollout_seconds: float = Field(
        default=180.0, description="longest wait for the platform's pods"
    )
