"""Configuration of the node: what others count on, and what cost time once."""

from __future__ import annotations

import dataclasses
import json
import shlex
import tomllib
from pathlib import Path

import pytest
import yaml

from haikube.local.node import host_resolvers
from haikube.local.nodeconfig import (
    POD_PIDS,
    NodeLayout,
    component_lines,
    config_files,
    upstream_resolvers,
)
from haikube.local.paths import data_root

NODE = NodeLayout(
    state=Path("/c/local"),
    containerd=Path("/c/containerd"),
    kube=Path("/c/bin/kube-1/kube"),
    coredns=Path("/c/bin/coredns-1/coredns"),
    cni_plugins=Path("/usr/lib/cni"),
    pause_image="localhost/haikube/pause:abc",
    address="10.89.0.2",
    cgroup="haikube-local",
)
FILES = config_files(NODE, "nameserver 127.0.0.53\nnameserver 192.0.2.1\nsearch lan\n")


def argv(name: str) -> list[str]:
    lines = (shlex.split(line) for line in component_lines(NODE).splitlines())
    return next(words[2:] for words in lines if words[:2] == ["run", name])


def test_containerd_keeps_images_outside_the_state_that_down_removes() -> None:
    config = tomllib.loads(FILES["containerd.toml"])

    assert config["root"] == "/c/containerd"
    assert config["grpc"]["address"] == "/c/local/run/containerd.sock"
    cri = config["plugins"]["io.containerd.grpc.v1.cri"]
    assert cri["sandbox_image"] == "localhost/haikube/pause:abc"
    assert cri["restrict_oom_score_adj"] is True


def test_the_kubelet_leaves_nothing_outside_its_own_group_and_folders() -> None:
    config = yaml.safe_load(FILES["kubelet.yaml"])

    assert config["cgroupRoot"] == "/haikube-local"
    assert config["podLogsDir"] == "/c/local/pod-logs"
    assert config["volumePluginDir"] == "/c/local/plugins"
    assert "--root-dir=/c/local/kubelet" in argv("kubelet")


def test_one_pod_cannot_use_up_the_process_table_on_either_kind_of_node() -> None:
    config = yaml.safe_load((data_root() / "kind-config.yaml").read_text())
    (patch,) = (yaml.safe_load(each) for each in config["kubeadmConfigPatches"])

    assert patch["kind"] == "KubeletConfiguration"
    assert patch["podPidsLimit"] == POD_PIDS
    assert yaml.safe_load(FILES["kubelet.yaml"])["podPidsLimit"] == POD_PIDS


def test_pods_ask_the_nodes_own_address_for_names() -> None:
    assert yaml.safe_load(FILES["kubelet.yaml"])["clusterDNS"] == ["10.89.0.2"]
    assert "bind 10.89.0.2" in FILES["Corefile"]


@pytest.mark.parametrize(
    ("host", "node"),
    [
        ("nameserver 127.0.0.53\nnameserver 9.9.9.9\n", "nameserver 9.9.9.9\n"),
        ("nameserver ::1\noptions edns0\n", "options edns0\n"),
        ("# nameserver 127.0.0.1\nnameserver\n", "# nameserver 127.0.0.1\nnameserver\n"),
    ],
)
def test_resolvers_on_the_hosts_loopback_are_left_out(host: str, node: str) -> None:
    assert upstream_resolvers(host) == node


def test_each_component_has_credentials_of_its_own() -> None:
    for name in ("controller-manager", "scheduler", "proxy", "dns", "kubelet", "admin"):
        user = yaml.safe_load(FILES[f"{name}.kubeconfig"])["users"][0]["user"]
        assert user["client-key"] == f"/c/local/pki/{name}.key"


def test_the_api_server_is_reached_at_one_address_from_everywhere() -> None:
    for name in ("admin", "kubelet"):
        cluster = yaml.safe_load(FILES[f"{name}.kubeconfig"])["clusters"][0]["cluster"]
        assert cluster["server"] == "https://10.89.0.2:6443"
    assert "--advertise-address=10.89.0.2" in argv("apiserver")


def test_pods_get_addresses_from_the_range_the_proxy_knows() -> None:
    bridge = json.loads(FILES["cni/10-bridge.conflist"])["plugins"][0]

    assert bridge["ipam"]["ranges"] == [[{"subnet": "10.244.0.0/22"}]]
    assert "--cluster-cidr=10.244.0.0/22" in argv("proxy")


def test_start_lines_survive_paths_with_spaces() -> None:
    node = dataclasses.replace(NODE, state=Path("/my cache/local"))

    words = shlex.split(component_lines(node).splitlines()[0])
    assert "--data-dir=/my cache/local/etcd" in words


def test_the_stub_resolver_of_systemd_gives_way_to_the_file_behind_it(tmp_path: Path) -> None:
    stub, real = tmp_path / "stub", tmp_path / "real"
    stub.write_text("nameserver 127.0.0.53\n")
    real.write_text("nameserver 192.0.2.1\n")

    assert host_resolvers([stub, tmp_path / "missing", real]) == "nameserver 192.0.2.1\n"
    assert host_resolvers([stub]) == ""
