# shellcheck shell=bash
# Runs a package manager and turns its best-known failures into a sentence with the remedy.

# manager_run LOCK_FILE COMMAND...
manager_run() {
  local file=$1 output
  shift
  output=$TMPDIR/packages.log
  (cd "$BUILD_DIR" && tool "$@" 2>&1) | tee "$output" | indent && return
  explain_failure "$file" "$output"
}

explain_failure() {
  local file=$1 output=$2 package
  explain_private_repository "$output"
  explain_unreachable "$output"
  package=$(sed -nE 's/^.*No matching distribution found for ([^ ]+).*$/\1/p' "$output" | head -n 1)
  if [[ -n $package ]]; then
    fail "The package '$package' of $file does not exist in the package index, or has no version that fits." \
      "Check its name and version for typing errors and for the Python version of the app." \
      "A private package needs its index, with the credentials for it, in the config var" \
      "PIP_EXTRA_INDEX_URL=https://user:token@packages.example.com/simple."
  fi
  if grep -qE 'lock ?file .*(needs to be updated|out of date)|Pipfile.lock .*out.of.date|pyproject.toml changed significantly' "$output"; then
    fail "$file does not fit the app's pyproject.toml or Pipfile (see above)." \
      "Lock again on your machine and commit $file: uv lock, poetry lock or pipenv lock."
  fi
  if grep -qE 'metadata-generation-failed|Failed building wheel|failed-wheel-build|Failed to build' "$output"; then
    fail "A package of $file has no ready-made wheel for this Python and could not be compiled (see above)." \
      "Ask for a newer version of it, or add the headers it needs with the apt buildpack and an Aptfile."
  fi
  fail "The packages of $file could not be installed (see above)."
}

# explain_unreachable OUTPUT: ends the build if nobody answered, however often pip tried; it says of each
# package then that there is none.
explain_unreachable() {
  if grep -qE 'problem confirming the ssl certificate|invalid peer certificate|CERTIFICATE_VERIFY_FAILED' "$1"; then
    fail "The package index shows a certificate that this build does not trust (see above)." \
      "The config var PIP_CERT, or SSL_CERT_FILE, names a file of the app with certificates (PEM) to trust."
  elif grep -qE 'Retry\(total=0,.*(Connect|Resolution|ReadTimeout|Proxy)|error sending request for url|All attempts to connect to' "$1"; then
    fail "The package index could not be reached (see above)." \
      "Builds need to reach it, or its mirror (PIP_INDEX_URL, for uv UV_DEFAULT_INDEX)."
  fi
}
