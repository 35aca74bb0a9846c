"""The plan of ``up`` and the shell parts it starts."""

from __future__ import annotations

from collections.abc import Container
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from haikube.local import tools
from haikube.local.archive import Image
from haikube.local.commands import local
from haikube.local.images import STACK, ImageSources, build_entries, platform_entries, recipes
from haikube.local.options import LocalOptions
from haikube.local.paths import PACKAGE, Paths, data_root, lock_file
from haikube.local.steps import Step
from haikube.local.up import Upping, up_steps

ROOT = data_root()


class NoCluster:
    """A provider that only remembers."""

    name = "none"

    def node_steps(self) -> list[Step]:
        return [Step("node", lambda: None)]

    def ensure_image(self, image: Image) -> bool:
        del image
        return True

    def prune(self, keep: Container[str]) -> int:
        del keep
        return 0

    def load(self, archive: Path) -> str:
        return archive.name

    def stop(self) -> list[str]:
        return []

    def status(self) -> dict[str, str]:
        return {}


@pytest.fixture
def sources(tmp_path: Path) -> ImageSources:
    return ImageSources(Paths(tmp_path), ROOT, PACKAGE.parent, lock_file(), LocalOptions())


def titles(sources: ImageSources, *, bare: bool) -> list[str]:
    return [step.title for step in up_steps(Upping(NoCluster(), sources), bare=bare)]


def test_a_bare_cluster_is_node_and_images(sources: ImageSources) -> None:
    assert titles(sources, bare=True) == [
        "node",
        *(f"image {role}" for role in recipes()),
        "image names written",
    ]


def test_definitions_come_before_the_objects_that_use_them(sources: ImageSources) -> None:
    plan = titles(sources, bare=False)

    order = ["node", "image names written", "gateway api", "resource definitions"]
    order += ["platform applied", "platform ready", "old images removed"]
    assert [title for title in plan if title in order] == order


def test_the_build_image_holds_the_engine_but_nothing_of_the_platform(
    sources: ImageSources,
) -> None:
    names = build_entries(sources).keys()

    ours = {name.split("/")[3] for name in names if name.startswith("haikube/lib/haikube/")}
    assert ours == {"__init__.py", "build", "model"}
    assert not any(name.startswith("haikube/buildpacks/stacks/") for name in names)
    assert "usr/local/bin/haikube-build" in names


def test_the_platform_image_holds_its_data_as_a_wheel_does(sources: ImageSources) -> None:
    names = platform_entries(sources).keys()

    assert "haikube/lib/haikube/_data/crds/apps.yaml" in names
    assert f"haikube/lib/haikube/_data/buildpacks/stacks/{STACK}/run.packages" in names
    assert "haikube/lib/haikube/settings.py" in names


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("go version go1.26.8 linux/amd64", (1, 26, 8)),
        ("go version devel go1.27-abc", (1, 27, 0)),
        ("go version go1.9 linux/amd64", (1, 9, 0)),
        ("something else", (0, 0, 0)),
    ],
)
def test_the_version_of_go_is_read_as_numbers(text: str, version: tuple[int, ...]) -> None:
    assert tools.go_version(text) == version


@pytest.mark.parametrize(
    ("folder", "module"),
    [
        ("kube", f"k8s.io/kubernetes v{tools.KUBERNETES}"),
        ("coredns", f"github.com/coredns/coredns v{tools.COREDNS}"),
    ],
)
def test_modules_are_pinned_to_the_version_that_is_named(folder: str, module: str) -> None:
    assert module in (PACKAGE / folder / "go.mod").read_text()
    assert (PACKAGE / folder / "go.sum").stat().st_size > 10_000


def test_both_providers_listen_where_the_gateway_is_expected() -> None:
    config = yaml.safe_load((ROOT / "kind-config.yaml").read_text())
    ports = config["nodes"][0]["extraPortMappings"]

    options = LocalOptions()
    assert {p["hostPort"] for p in ports} == {options.http_port, options.https_port}
    assert {p["listenAddress"] for p in ports} == {options.address}


def test_kubeconfig_names_the_remedy_while_there_is_no_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    result = CliRunner().invoke(local, ["kubeconfig"])

    assert result.exit_code == 1
    assert "haikube local up" in result.output


@pytest.mark.cluster
def test_status_of_the_running_cluster() -> None:
    result = CliRunner().invoke(local, ["status"])

    assert result.exit_code == 0, result.output
    assert "running, pid" in result.output
    assert "control plane:         answers" in result.output
    assert CliRunner().invoke(local, ["kubeconfig"]).output.strip() in result.output
