# shellcheck shell=bash
# Fetches the packages, with what they need beyond the run image, or takes those of the last build.

readonly APT_FOLDER=.apt

install_packages() {
  local key target=$BUILD_DIR/$APT_FOLDER
  key=$(cache_key 1 "$STACK" "$(file_digest "$BUILD_DIR/Aptfile")" "$(date +%G-%V)")
  if cache_get apt/tree "$key" "$target"; then
    topic "Using the packages of the last build: the Aptfile has not changed"
    return
  fi
  mkdir -p "$target"
  if ((${#PACKAGES[@]})); then
    topic "Installing ${PACKAGES[*]}"
    install_named "$target"
  fi
  install_addressed "$target"
  cache_put apt/tree "$key" "$target"
}

install_named() {
  local output=$TMPDIR/apt.log
  (apt_unpack "$1" "${PACKAGES[@]}") >"$output" 2>&1 && return
  cat "$output"
  explain_apt "$output"
}

explain_apt() {
  local missing
  missing=$(sed -nE "s/^ *E: (Unable to locate package|Version .* for|Package) '?([^' ]+)'?.*/\2/p" "$1" | paste -sd ' ')
  if [[ -n $missing ]]; then
    fail "The Aptfile asks for what the stack $STACK does not have: $missing" \
      "$(nearest_packages "$missing")Look the names up among the packages of its distribution; they differ between releases." \
      "A version after '=' must be the one it has; leave it out to take that."
  fi
  fail "The packages of the Aptfile could not be installed (see above)."
}

# nearest_packages NAMES: of libraries whose name ends in a version, those that there are; they change it with
# each release of a distribution.
nearest_packages() {
  local name stem found
  for name in $1; do
    stem=${name%t64}
    stem=${stem%%[0-9]*}
    [[ $stem == lib?* && $stem != "$name" ]] || continue
    found=$(apt_here apt-cache --no-generate pkgnames "$stem" | grep -E "^${stem//[.+]/\\&}[0-9][0-9.-]*(t64)?$" | sort -V | paste -sd ' ' || true)
    [[ -z $found ]] || printf 'Instead of %s there is %s. ' "$name" "${found// /, }"
  done
}

install_addressed() {
  local url deb=$TMPDIR/addressed.deb
  for url in "${DEB_URLS[@]}"; do
    topic "Installing ${url##*/}"
    download "$url" "$deb" || fail "$url of the Aptfile could not be fetched (see above)."
    dpkg-deb --info "$deb" >/dev/null 2>&1 || fail "$url of the Aptfile is not a Debian package."
    dpkg-deb --fsys-tarfile "$deb" | tar --extract --directory="$1" --no-same-owner
  done
}
