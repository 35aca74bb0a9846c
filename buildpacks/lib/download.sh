# shellcheck shell=bash
# Downloads with retries and checksums. A file that does not match is never left behind.

# download URL TARGET [SHA256]: fetches one file; returns 1 when it cannot be had.
download() {
  local url=$1 target=$2 sha256=${3:-} part="$2.part"
  curl --disable --silent --show-error --fail --location --proto '=https,http' \
    --retry 4 --retry-all-errors --connect-timeout "${CURL_CONNECT_TIMEOUT:-10}" \
    --max-time "${CURL_TIMEOUT:-600}" --output "$part" -- "$url" || {
    rm -f "$part"
    return 1
  }
  if [[ -n $sha256 ]] && ! verify_sha256 "$part" "$sha256"; then
    rm -f "$part"
    return 1
  fi
  mv "$part" "$target"
}

# verify_sha256 FILE SHA256: checks a file; says on stderr what it is instead.
verify_sha256() {
  local found
  found=$(sha256sum -- "$1")
  found=${found%% *}
  [[ $found == "${2#sha256:}" ]] && return 0
  printf 'sha256 of %s is %s, expected %s\n' "${1##*/}" "$found" "${2#sha256:}" >&2
  return 1
}
