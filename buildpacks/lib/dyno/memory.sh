# shellcheck shell=bash
# MEMORY_AVAILABLE: what the dyno may use, in MB. The platform says so; elsewhere the limit of the
# cgroup does, version 2 first. "max" and the huge number of version 1 both mean: no limit.
if [ -z "${MEMORY_AVAILABLE:-}" ]; then
  for haikube_file in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do
    if [ -r "$haikube_file" ]; then
      haikube_bytes=$(cat "$haikube_file")
      case $haikube_bytes in
      '' | *[!0-9]*) ;;
      *)
        if [ "${#haikube_bytes}" -lt 16 ]; then
          export MEMORY_AVAILABLE=$((haikube_bytes / 1048576))
          break
        fi
        ;;
      esac
    fi
  done
  unset haikube_file haikube_bytes
fi
