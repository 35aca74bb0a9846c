"""The plan of ``haikube local up``: which steps, in which order.

A later part of the platform joins by one more function in ``PLATFORM_STEPS``.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from haikube.cluster.http import HttpCluster
from haikube.cluster.identity import load as load_credentials
from haikube.local import tools
from haikube.local.archive import Image
from haikube.local.deploy import (
    GATEWAY_NAMESPACE,
    LOGS_NAMESPACE,
    NAMESPACE,
    Deployment,
    extra_authorities,
    write_deployment,
)
from haikube.local.images import ImageSources, recipes, save_references
from haikube.local.kubectl import Kubectl
from haikube.local.layer import prune_layers
from haikube.local.linking import link_commands
from haikube.local.provider import Provider
from haikube.local.steps import Step
from haikube.team.prepare import prepare_team
from haikube.team.template import Team

TEAM = "default"
"""Where apps land of people who name no team."""


@dataclass(slots=True)
class Upping:
    """One run of ``up``: the cluster it works on and the images it has made so far."""

    provider: Provider
    sources: ImageSources
    images: dict[str, Image] = field(default_factory=dict)

    @property
    def kubectl(self) -> Kubectl:
        """The cluster's kubectl."""
        paths = self.sources.paths
        return Kubectl(tools.wheel_program(paths, "kubectl"), paths.kubeconfig)

    def bring_image(self, role: str) -> str:
        """Make the image of a role and bring it into the node."""
        image = recipes()[role](self.sources)
        brought = self.provider.ensure_image(image)
        self.images[role] = image
        size = sum(layer.path.stat().st_size for layer in image.layers)
        return f"{size / 1e6:.0f} MB, {'imported' if brought else 'unchanged'}"


def up_steps(upping: Upping, *, bare: bool) -> list[Step]:
    """Return everything between a machine and a platform that answers."""
    roles = [role for role in recipes() if role != "pause"]
    steps = upping.provider.node_steps()
    steps += [Step(f"image {role}", _bring(upping, role)) for role in ("pause", *roles)]
    steps.append(Step("image names written", lambda: _save(upping)))
    if bare:
        return steps
    return steps + [Step(title, _bind(run, upping)) for title, run in PLATFORM_STEPS]


def _bring(upping: Upping, role: str) -> Callable[[], str]:
    return lambda: upping.bring_image(role)


def _bind(run: Callable[[Upping], str | None], upping: Upping) -> Callable[[], str | None]:
    return lambda: run(upping)


def _save(upping: Upping) -> str:
    save_references(upping.images, upping.sources.paths.image_list)
    return upping.sources.paths.image_list.name


def apply_gateway_api(upping: Upping) -> str:
    """Apply the Gateway API's own resource definitions."""
    return upping.kubectl.apply("-f", tools.gateway_api_crds(upping.sources.paths))


def apply_crds(upping: Upping) -> str:
    """Apply Haikube's resource definitions and wait until they are served."""
    shown = upping.kubectl.apply("-k", upping.sources.data / "crds")
    upping.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
    return shown


def apply_platform(upping: Upping) -> str:
    """Apply the generated kustomization."""
    paths, options = upping.sources.paths, upping.sources.options
    deployment = Deployment(
        folder=paths.deploy,
        overlay=upping.sources.data / "manifests" / "overlays" / "local",
        references={role: image.reference for role, image in upping.images.items()},
        options=options,
        extra_authorities=extra_authorities(options.ca_bundle),
        pod_logs=upping.provider.pod_logs,
        storage=upping.provider.storage,
    )
    write_deployment(deployment, paths.authority)
    return upping.kubectl.apply("-k", paths.deploy)


def apply_team(upping: Upping) -> str:
    """Make the namespace for newcomers that of a team, as ``haikube team create`` does."""
    folder = upping.sources.data / "manifests" / "extras" / "team"

    async def prepare() -> int:
        credentials = load_credentials(upping.sources.paths.kubeconfig)
        async with HttpCluster(credentials, user_agent="haikube-local") as cluster:
            return len(await prepare_team(cluster, folder, Team(TEAM)))

    return f"{asyncio.run(prepare())} objects"


def wait_platform(upping: Upping) -> str:
    """Wait until every part of the platform has rolled out."""
    seconds = upping.sources.options.rollout_seconds
    spaces = (NAMESPACE, GATEWAY_NAMESPACE, LOGS_NAMESPACE)
    count = sum(upping.kubectl.wait_available(space, seconds) for space in spaces)
    return f"{count} deployments"


def remove_old_images(upping: Upping) -> str:
    """Remove images that nothing in the cluster names any more, and old layers of the cache."""
    current = {image.reference for image in upping.images.values()}
    layers = {layer.path for image in upping.images.values() for layer in image.layers}
    prune_layers(upping.sources.paths.layers, layers, time.time())
    return f"{upping.provider.prune(current | upping.kubectl.images_in_use())} images"


def link_programs(upping: Upping) -> str:
    """Put the commands that a person types next into the PATH."""
    kubectl = tools.wheel_program(upping.sources.paths, "kubectl")
    return link_commands(kubectl, os.environ)


PLATFORM_STEPS: list[tuple[str, Callable[[Upping], str | None]]] = [
    ("gateway api", apply_gateway_api),
    ("resource definitions", apply_crds),
    ("platform applied", apply_platform),
    ("team default", apply_team),
    ("platform ready", wait_platform),
    ("old images removed", remove_old_images),
    ("commands linked", link_programs),
]
