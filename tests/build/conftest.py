"""The engine on this machine's own tools, no stack and no cluster."""

from __future__ import annotations

import io
import signal
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from build.rig import Archive, Engine
from haikube.build.harness.objects import ObjectServer, serving
from haikube.build.transfer import Transfer


@pytest.fixture
def objects(tmp_path: Path) -> Iterator[ObjectServer]:
    with serving(tmp_path / "objects") as server:
        yield server


@pytest.fixture
def engine(
    tmp_path: Path,
    objects: ObjectServer,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Engine]:
    before = signal.getsignal(signal.SIGTERM)
    _, *others = Transfer.__init__.__defaults__ or ()
    monkeypatch.setattr(Transfer.__init__, "__defaults__", (lambda _seconds: None, *others))
    (tmp_path / "buildpacks" / "lib").mkdir(parents=True)
    (tmp_path / "buildpacks" / "order.txt").touch()
    yield Engine(tmp_path, objects, capfd)
    signal.signal(signal.SIGTERM, before)


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """Write a tar of hand-made members."""

    def write(*members: tuple[str, dict[str, Any]]) -> Path:
        path = tmp_path / "hostile.tar"
        with tarfile.open(path, "w") as tar:
            for name, attributes in members:
                info = tarfile.TarInfo(name)
                data = attributes.get("data", b"")
                info.size = len(data)
                for key, value in attributes.items():
                    if key != "data":
                        setattr(info, key, value)
                tar.addfile(info, io.BytesIO(data))
        return path

    return write
