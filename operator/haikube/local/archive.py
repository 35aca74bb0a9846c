"""Image archives: an OCI layout that Docker, Podman, kind and containerd import alike.

Layers are added as they are, uncompressed: nothing travels over a network. Beside ``index.json``
lies the ``manifest.json`` that older Docker engines read; both name the same blobs.
"""

from __future__ import annotations

import hashlib
import io
import json
import platform
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from haikube.local.layer import Layer

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_TAG_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Image:
    """What an image is: its name without tag, its layers and how it runs."""

    name: str
    layers: Sequence[Layer]
    config: Mapping[str, object] = field(default_factory=dict)

    @property
    def reference(self) -> str:
        """The name with a tag made of the content: another content is another image."""
        return f"{self.name}:{_sha(self.config_blob())[:_TAG_LENGTH]}"

    def config_blob(self) -> bytes:
        """Return the image's configuration, which names the digest of every layer."""
        return _json(
            {
                "architecture": _ARCHITECTURES.get(platform.machine(), platform.machine()),
                "config": dict(self.config),
                "created": "1970-01-01T00:00:00Z",
                "history": [{"created_by": f"haikube {self.name}"} for _ in self.layers],
                "os": "linux",
                "rootfs": {
                    "diff_ids": [f"sha256:{layer.digest}" for layer in self.layers],
                    "type": "layers",
                },
            }
        )


def write_archive(image: Image, path: Path, omit: frozenset[str] = frozenset()) -> None:
    """Write the archive of an image; the bytes depend on the image alone.

    Args:
        image: what to write.
        path: where to.
        omit: digests of layers that the importing store is known to have.
    """
    config = image.config_blob()
    manifest = _manifest(image, config)
    partial = path.with_suffix(".partial")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(partial, "w", format=tarfile.GNU_FORMAT) as tar:
        _add(tar, "oci-layout", _json({"imageLayoutVersion": "1.0.0"}))
        _add(tar, "index.json", _index(image.reference, manifest))
        if not omit:
            _add(tar, "manifest.json", _docker_manifest(image, config))
        _add(tar, _blob(_sha(config)), config)
        _add(tar, _blob(_sha(manifest)), manifest)
        for digest, layer in {layer.digest: layer for layer in image.layers}.items():
            if digest not in omit:
                _add_file(tar, _blob(digest), layer.path)
    partial.rename(path)


def _manifest(image: Image, config: bytes) -> bytes:
    kind = "application/vnd.oci.image"
    layers = [
        {
            "digest": f"sha256:{layer.digest}",
            "mediaType": f"{kind}.layer.v1.tar",
            "size": layer.path.stat().st_size,
        }
        for layer in image.layers
    ]
    return _json(
        {
            "config": _descriptor(f"{kind}.config.v1+json", config),
            "layers": layers,
            "mediaType": f"{kind}.manifest.v1+json",
            "schemaVersion": 2,
        }
    )


def _index(reference: str, manifest: bytes) -> bytes:
    kind = "application/vnd.oci.image"
    annotations = {
        "io.containerd.image.name": reference,
        "org.opencontainers.image.ref.name": reference.rpartition(":")[2],
    }
    entry = {**_descriptor(f"{kind}.manifest.v1+json", manifest), "annotations": annotations}
    return _json({"manifests": [entry], "mediaType": f"{kind}.index.v1+json", "schemaVersion": 2})


def _docker_manifest(image: Image, config: bytes) -> bytes:
    layers = [_blob(layer.digest) for layer in image.layers]
    entry = {"Config": _blob(_sha(config)), "Layers": layers, "RepoTags": [image.reference]}
    return _json([entry])


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"digest": f"sha256:{_sha(blob)}", "mediaType": media_type, "size": len(blob)}


def _blob(digest: str) -> str:
    return f"blobs/sha256/{digest}"


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _add(tar: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    tar.addfile(info, io.BytesIO(data))


def _add_file(tar: tarfile.TarFile, name: str, path: Path) -> None:
    info = tarfile.TarInfo(name)
    info.size = path.stat().st_size
    with path.open("rb") as stream:
        tar.addfile(info, stream)
