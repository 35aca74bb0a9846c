#!/usr/bin/env bash
# Runs a command as the dyno user inside a stack's root filesystem. Called in fresh mount and pid
# namespaces, so that nothing here needs cleaning up.
#
#   enter.sh LOWER SCRATCH ACCESS [SOURCE:TARGET]... -- COMMAND...
#
# LOWER is the stack's folder and is never written; ACCESS is ro or rw for the root over it.
set -euo pipefail

readonly lower=$1 scratch=$2 access=$3
shift 3
readonly root=$scratch/root

bind() {
  mkdir -p "$(dirname "$root/$2")"
  if [[ -d $1 ]]; then mkdir -p "$root/$2"; else touch "$root/$2"; fi
  mount --bind "$1" "$root/$2"
}

mkdir -p "$root" "$scratch/upper" "$scratch/work" "$scratch/tmp"
chmod 1777 "$scratch/tmp"
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$lower,upperdir=$scratch/upper,workdir=$scratch/work" "$root"
mount -t proc proc "$root/proc"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  bind "/dev/$device" "dev/$device"
done
mkdir -m 1777 "$root/dev/shm"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"
bind "$scratch/tmp" tmp
rm -f "$root/etc/resolv.conf"
bind "$(realpath /etc/resolv.conf)" etc/resolv.conf
bind /etc/hosts etc/hosts
while [[ $1 != -- ]]; do
  bind "${1%%:*}" "${1#*:}"
  shift
done
shift
if [[ $access == ro ]]; then mount -o remount,bind,ro "$root"; fi
exec chroot --userspec=12345:12345 --groups= "$root" "$@"
