"""Configuration files and command lines of the native node, as pure text.

Every component runs from one multi-call binary; ``node.py`` writes the files and starts them.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from haikube.local.resolvers import upstream_resolvers

NODE_NAME = "haikube"
SERVICE_RANGE = "10.96.0.0/16"
SERVICE_IP = "10.96.0.1"
POD_RANGE = "10.244.0.0/22"
POD_PIDS = 4096
KUBECONFIGS = ("admin", "kubelet", "controller-manager", "scheduler", "proxy", "dns")


@dataclass(frozen=True, slots=True)
class NodeLayout:
    """Where a node finds its programs and keeps its files."""

    state: Path
    containerd: Path
    kube: Path
    coredns: Path
    cni_plugins: Path
    pause_image: str
    address: str
    cgroup: str

    @property
    def socket(self) -> Path:
        """Socket of containerd, reachable from the host too."""
        return self.state / "run" / "containerd.sock"

    @property
    def busy_folders(self) -> tuple[Path, Path]:
        """Folders in which pods make and remove files: volumes, and what containers write."""
        return self.state / "kubelet", self.containerd

    @property
    def server(self) -> str:
        """URL of the API server, from the host and from the node."""
        return f"https://{self.address}:6443"


def config_files(node: NodeLayout, resolv_conf: str) -> dict[str, str]:
    """Return the content of each configuration file by its path below the state folder."""
    files = {
        "containerd.toml": _containerd(node),
        "cni/10-bridge.conflist": json.dumps(_bridge(node), indent=1),
        "kubelet.yaml": yaml.safe_dump(_kubelet(node)),
        "resolv.conf": upstream_resolvers(resolv_conf),
        "Corefile": _corefile(node),
    }
    for name in KUBECONFIGS:
        files[f"{name}.kubeconfig"] = yaml.safe_dump(_kubeconfig(node, name))
    return files


def _containerd(node: NodeLayout) -> str:
    # restrict_oom_score_adj: a root without CAP_SYS_RESOURCE may not lower the score, and every
    # sandbox would fail with "can't get final child's PID from pipe: EOF".
    return f"""\
version = 2
root = "{node.containerd}"
state = "{node.state}/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs"]
[grpc]
  address = "{node.socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{node.pause_image}"
  enable_unprivileged_ports = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{node.cni_plugins}"
    conf_dir = "{node.state}/cni"
"""


def _bridge(node: NodeLayout) -> dict[str, object]:
    ipam = {
        "type": "host-local",
        "ranges": [[{"subnet": POD_RANGE}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": f"{node.state}/run/ipam",
    }
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": True,
        "hairpinMode": True,
        "ipam": ipam,
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "bridge", "plugins": [bridge, ports]}


def _kubelet(node: NodeLayout) -> dict[str, object]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "failCgroupV1": False,
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{node.cgroup}",
        "failSwapOn": False,
        "containerRuntimeEndpoint": f"unix://{node.socket}",
        # no dummy interface is needed when DNS answers on the node's own address
        "clusterDNS": [node.address],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{node.state}/resolv.conf",
        "maxPods": 1000,
        # a build or dyno that forks without end must not take the machine's process table with it
        "podPidsLimit": POD_PIDS,
        "serializeImagePulls": False,
        "volumePluginDir": f"{node.state}/plugins",
        "podLogsDir": f"{node.state}/pod-logs",
        "authentication": {
            "anonymous": {"enabled": False},
            "x509": {"clientCAFile": f"{node.state}/pki/ca.crt"},
            "webhook": {"enabled": True},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{node.state}/pki/kubelet.crt",
        "tlsPrivateKeyFile": f"{node.state}/pki/kubelet.key",
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "2%",
            "imagefs.available": "2%",
        },
        # images come by import: one that was collected could not be pulled again
        "imageGCHighThresholdPercent": 100,
    }


def _corefile(node: NodeLayout) -> str:
    return f"""\
.:53 {{
  bind {node.address}
  errors
  kubernetes cluster.local in-addr.arpa ip6.arpa {{
    kubeconfig {node.state}/dns.kubeconfig
    pods insecure
    fallthrough in-addr.arpa ip6.arpa
  }}
  forward . {node.state}/resolv.conf
  cache 30
}}
"""


def _kubeconfig(node: NodeLayout, name: str) -> dict[str, object]:
    pki = node.state / "pki"
    cluster = {"server": node.server, "certificate-authority": str(pki / "ca.crt")}
    user = {
        "client-certificate": str(pki / f"{name}.crt"),
        "client-key": str(pki / f"{name}.key"),
    }
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": NODE_NAME, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": NODE_NAME, "context": {"cluster": NODE_NAME, "user": name}}],
        "current-context": NODE_NAME,
    }


def component_lines(node: NodeLayout) -> str:
    """Return the shell lines that start every component under the supervisor ``run``."""
    lines = [_shell_line(name, argv) for name, argv in _components(node).items()]
    return "\n".join(lines) + "\n"


def _shell_line(name: str, argv: list[str]) -> str:
    return "run " + shlex.join([name, *argv])


def _components(node: NodeLayout) -> dict[str, list[str]]:
    kube = str(node.kube)
    return {
        "etcd": [kube, "etcd", *_flags(_etcd(node))],
        "apiserver": [kube, "kube-apiserver", *_flags(_apiserver(node))],
        "controller-manager": [
            kube,
            "kube-controller-manager",
            *_flags(_controller_manager(node)),
        ],
        "scheduler": [kube, "kube-scheduler", *_flags(_client(node, "scheduler"))],
        "containerd": ["containerd", "--config", f"{node.state}/containerd.toml"],
        "kubelet": [kube, "kubelet", *_flags(_kubelet_flags(node))],
        "proxy": [kube, "kube-proxy", *_flags(_proxy(node))],
        "coredns": [str(node.coredns), "-conf", f"{node.state}/Corefile"],
    }


def _flags(values: Mapping[str, object]) -> list[str]:
    return [f"--{name}={value}" for name, value in values.items()]


def _etcd(node: NodeLayout) -> dict[str, object]:
    client, peer = "http://127.0.0.1:2379", "http://127.0.0.1:2380"
    return {
        "data-dir": node.state / "etcd",
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        # a local cluster is thrown away, so a power cut may cost its data
        "unsafe-no-fsync": "true",
        "log-level": "warn",
    }


def _apiserver(node: NodeLayout) -> dict[str, object]:
    pki = node.state / "pki"
    return {
        "etcd-servers": "http://127.0.0.1:2379",
        "service-cluster-ip-range": SERVICE_RANGE,
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "advertise-address": node.address,
        "client-ca-file": pki / "ca.crt",
        "tls-cert-file": pki / "apiserver.crt",
        "tls-private-key-file": pki / "apiserver.key",
        "service-account-issuer": "https://kubernetes.default.svc.cluster.local",
        "service-account-key-file": pki / "sa.pub",
        "service-account-signing-key-file": pki / "sa.key",
        "kubelet-client-certificate": pki / "kubelet-client.crt",
        "kubelet-client-key": pki / "kubelet-client.key",
        "kubelet-certificate-authority": pki / "ca.crt",
        # else exec and logs would resolve the node's name
        "kubelet-preferred-address-types": "InternalIP",
        "allow-privileged": "true",
    }


def _client(node: NodeLayout, name: str) -> dict[str, object]:
    kubeconfig = node.state / f"{name}.kubeconfig"
    return {
        "kubeconfig": kubeconfig,
        "authentication-kubeconfig": kubeconfig,
        "authorization-kubeconfig": kubeconfig,
        "leader-elect": "false",
        "kube-api-qps": 500,
        "kube-api-burst": 1000,
    }


def _controller_manager(node: NodeLayout) -> dict[str, object]:
    pki = node.state / "pki"
    return {
        **_client(node, "controller-manager"),
        "concurrent-deployment-syncs": 20,
        "concurrent-replicaset-syncs": 20,
        "concurrent-service-endpoint-syncs": 20,
        "service-account-private-key-file": pki / "sa.key",
        "root-ca-file": pki / "ca.crt",
        "use-service-account-credentials": "true",
        "flex-volume-plugin-dir": node.state / "plugins",
        "cluster-signing-cert-file": pki / "ca.crt",
        "cluster-signing-key-file": pki / "ca.key",
    }


def _kubelet_flags(node: NodeLayout) -> dict[str, object]:
    return {
        "config": node.state / "kubelet.yaml",
        "kubeconfig": node.state / "kubelet.kubeconfig",
        "root-dir": node.state / "kubelet",
        "hostname-override": NODE_NAME,
        "node-ip": node.address,
    }


def _proxy(node: NodeLayout) -> dict[str, object]:
    return {
        "kubeconfig": node.state / "proxy.kubeconfig",
        "hostname-override": NODE_NAME,
        "cluster-cidr": POD_RANGE,
        "proxy-mode": "iptables",
        "conntrack-max-per-core": 0,
    }
