"""The generated kustomization: what only this machine knows, around the shipped overlay."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from haikube.local.command import LocalError
from haikube.local.deploy import (
    Deployment,
    build_env,
    extra_authorities,
    gateway_certificate,
    split_pem,
    write_deployment,
)
from haikube.local.options import LocalOptions

REFERENCES = {
    "run": "localhost/haikube/run-debian-13:aaa",
    "build": "localhost/haikube/build-debian-13:bbb",
    "platform": "localhost/haikube/platform:ccc",
}
PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"


def deployment(folder: Path = Path("/c/deploy"), **more: str) -> Deployment:
    options = LocalOptions(http_port=8080, HAIKUBE_BUILD_ENV=more.pop("build_env", ""))
    overlay = Path("/src/manifests/overlays/local")
    return Deployment(folder, overlay, REFERENCES, options, **more)


def test_images_of_the_manifests_become_those_of_the_checkout() -> None:
    edits = deployment().kustomization()["images"]

    assert {
        "name": "haikube/platform",
        "newName": "localhost/haikube/platform",
        "newTag": "ccc",
    } in edits  # type: ignore[operator]  # YAML


def test_the_stack_gets_both_images() -> None:
    patch = deployment().kustomization()["patches"][0]["patch"]  # type: ignore[index]  # YAML

    spec = yaml.safe_load(patch)["spec"]
    assert spec == {"runImage": REFERENCES["run"], "buildImage": REFERENCES["build"]}


def test_the_overlay_is_named_relative_to_the_folder() -> None:
    assert deployment().kustomization()["resources"] == ["../../src/manifests/overlays/local"]


def test_a_folder_of_the_node_is_the_storages_volume(tmp_path: Path) -> None:
    made = deployment(tmp_path / "deploy", storage=tmp_path / "storage")  # type: ignore[arg-type]  # a path
    write_deployment(made, tmp_path / "ca")
    volume = yaml.safe_load((tmp_path / "deploy" / "storage-volume.yaml").read_text())

    assert "storage-volume.yaml" in made.kustomization()["resources"]  # type: ignore[operator]  # YAML
    assert volume["spec"]["local"] == {"path": str(tmp_path / "storage")}
    assert volume["spec"]["claimRef"]["name"] == "haikube-storage"
    assert (tmp_path / "storage").is_dir()
    assert "storage-volume.yaml" not in deployment().files(), "kind makes a volume of its own"


def test_further_authorities_reach_builds_only_where_there_are_some() -> None:
    assert "HAIKUBE_CA_BUNDLE_CONFIGMAP" not in deployment().settings()
    assert "ca-bundle.crt" not in deployment().files()

    more = deployment(extra_authorities=PEM.format("company"))
    assert more.settings()["HAIKUBE_CA_BUNDLE_CONFIGMAP"] == "haikube-ca"
    assert more.files()["ca-bundle.crt"] == PEM.format("company")


def test_mirrors_are_passed_on_only_when_they_are_set() -> None:
    assert "HAIKUBE_BUILD_ENV" not in deployment().settings()
    settings = deployment(build_env='{"PIP_RETRIES": "5"}').settings()
    assert json.loads(settings["HAIKUBE_BUILD_ENV"]) == {"PIP_RETRIES": "5"}


@pytest.mark.parametrize("text", ["PIP_RETRIES=5", "[1]", '{"PIP_RETRIES": 5}'])
def test_mirrors_that_are_no_object_of_strings_are_refused(text: str) -> None:
    with pytest.raises(LocalError, match="HAIKUBE_BUILD_ENV="):
        build_env(text)


def test_only_authorities_that_the_distribution_does_not_ship_are_extra(tmp_path: Path) -> None:
    shipped = tmp_path / "ca-certificates" / "mozilla"
    shipped.mkdir(parents=True)
    (shipped / "known.crt").write_text(PEM.format("known").rstrip("\n"))
    bundle = tmp_path / "bundle.crt"
    bundle.write_text(PEM.format("known") + "# note\n" + PEM.format("company"))

    assert extra_authorities(bundle, shipped) == PEM.format("company")
    assert extra_authorities(tmp_path / "missing", shipped) == ""


def test_text_around_certificates_is_dropped() -> None:
    assert split_pem("# a\n" + PEM.format("x") + "tail") == [PEM.format("x")]
    assert split_pem("nothing") == []


def test_keys_and_certificate_are_made_once(tmp_path: Path) -> None:
    folder, authority = tmp_path / "deploy", tmp_path / "ca"
    write_deployment(deployment(folder), authority)
    made = {path.name: path.read_text() for path in folder.iterdir()}
    write_deployment(deployment(folder), authority)

    assert made == {path.name: path.read_text() for path in folder.iterdir()}
    assert "HAIKUBE_STORAGE_SECRET_KEY=" in made["storage.env"]
    assert made["tls.crt"].count("BEGIN CERTIFICATE") == 2
    assert folder.stat().st_mode & 0o077 == 0
    assert "DNS:api.localhost" in gateway_certificate().alternatives
