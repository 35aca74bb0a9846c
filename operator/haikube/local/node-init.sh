#!/usr/bin/env bash
# Process 1 of the native node. It starts in the host's network, in namespaces of its own for
# mounts, processes, host name and IPC; ending it ends every container and mount of the node.
#
# usage: node-init.sh host STATE | node-init.sh node STATE
set -euo pipefail

readonly stage=$1 state=$2

# Start a component and start it again whenever it ends.
run() {
  local name=$1
  shift
  (
    while :; do
      code=0
      "$@" >>"$state/log/$name.log" 2>&1 || code=$?
      echo "haikube: $name ended with $code, starting it again" >>"$state/log/$name.log"
      sleep 1
    done
  ) &
}

# Give the node scratch folders of its own, so that nothing is left in the host's.
own_folders() {
  mount -t proc proc /proc
  for folder in /run /var/lib /var/log; do
    mount -t tmpfs -o mode=755 tmpfs "$folder"
  done
}

wait_for_wire() {
  until ip -4 route show default 2>/dev/null | grep . >/dev/null; do
    sleep 0.05
  done
}

case $stage in
  host)
    own_folders
    # shellcheck source=/dev/null
    source "$state/disks.sh"
    hostname haikube
    # shellcheck source=/dev/null
    source "$state/forwarders.sh"
    exec unshare --net "$BASH" "$0" node "$state"
    ;;
  node)
    wait_for_wire
    # shellcheck source=/dev/null
    source "$state/components.sh"
    wait
    ;;
esac
