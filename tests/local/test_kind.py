"""What is asked of kind and docker, against programs that write down how they were called."""

from __future__ import annotations

from pathlib import Path

import pytest

from haikube.local.archive import Image
from haikube.local.command import LocalError
from haikube.local.images import ImageSources
from haikube.local.kind import KindProvider
from haikube.local.layer import Entry, write_layer
from haikube.local.options import LocalOptions
from haikube.local.paths import PACKAGE, Paths, data_root, lock_file

PROGRAM = """\
#!/usr/bin/env bash
echo "${0##*/} $*" >>"$CALLS"
case "$*" in
  "get clusters") echo "$CLUSTERS" ;;
  exec*) echo "$IMAGES" ;;
  info) exit "${DOCKER_ENDS:-0}" ;;
esac
"""


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("kind", "docker"):
        (folder / name).write_text(PROGRAM)
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("CLUSTERS", "")
    monkeypatch.setenv("IMAGES", "")
    return tmp_path / "calls"


@pytest.fixture
def provider(tmp_path: Path) -> KindProvider:
    paths = Paths(tmp_path / "cache")
    sources = ImageSources(paths, data_root(), PACKAGE.parent, lock_file(), LocalOptions())
    return KindProvider(sources, data_root() / "kind-config.yaml")


def run_step(provider: KindProvider, title: str) -> str | None:
    return next(step for step in provider.node_steps() if step.title == title).run()


def test_a_cluster_is_made_from_the_shipped_config(calls: Path, provider: KindProvider) -> None:
    assert run_step(provider, "kind cluster") == "created"

    call = calls.read_text().splitlines()[-1]
    assert call.startswith("kind create cluster --name haikube --config ")
    assert str(provider.sources.paths.kubeconfig) in call


def test_a_cluster_that_exists_is_kept(
    calls: Path, provider: KindProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLUSTERS", "haikube")

    assert run_step(provider, "kind cluster") == "it runs already"
    assert "create cluster" not in calls.read_text()


@pytest.mark.parametrize("there", [True, False])
def test_an_image_is_loaded_once(
    *,
    there: bool,
    calls: Path,
    provider: KindProvider,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = Image("localhost/haikube/x", [write_layer({"a": Entry(b"a")}, tmp_path)])
    monkeypatch.setenv("IMAGES", f'{{"repoTags": ["{image.reference}"]}}' if there else "{}")

    assert provider.ensure_image(image) is not there
    assert ("kind load image-archive" in calls.read_text()) is not there


def test_an_engine_that_does_not_answer_is_told_with_the_way_out(
    calls: Path, provider: KindProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_ENDS", "1")

    with pytest.raises(LocalError, match="HAIKUBE_LOCAL_PROVIDER=native"):
        run_step(provider, "docker answers")
    assert "docker info" in calls.read_text()


def test_down_deletes_the_cluster(calls: Path, provider: KindProvider) -> None:
    assert provider.stop() == []
    assert "kind delete cluster --name haikube" in calls.read_text()
