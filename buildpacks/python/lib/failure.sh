# shellcheck shell=bash
# Runs a package manager and turns its best-known failures into a sentence with the remedy.

# manager_run LOCK_FILE COMMAND...
manager_run() {
  local file=$1 output
  shift
  output=$TMPDIR/packages.log
  (cd "$BUILD_DIR" && follow "$output" "$@") && return
  explain_failure "$file" "$output"
}

explain_failure() {
  local file=$1 output=$2 package
  explain_private_repository "$output"
  explain_unreachable "$output"
  explain_other_machine "$file" "$output"
  package=$(sed -nE 's/^.*No matching distribution found for ([^ ]+).*$/\1/p' "$output" | sed -n 1p)
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

# Packages that only Windows has; "pip freeze" writes them down there.
readonly WINDOWS_ONLY='pywin32|pypiwin32|pywinpty|pywin32-ctypes|twisted-iocpsupport|python-magic-bin|pyreadline|wmi|comtypes|winkerberos|win-?unicode-console'

# explain_other_machine FILE OUTPUT: ends the build if the list holds what only the machine has that made it.
explain_other_machine() {
  local package
  package=$(sed -nE "s/^.*No matching distribution found for (($WINDOWS_ONLY)([^a-zA-Z0-9_ -][^ ]*)?)(\$| .*)/\1/Ip" "$2" | sed -n 1p)
  if [[ -n $package ]]; then
    fail "The package '$package' of $1 is for Windows alone." \
      "Remove the line, or have only Windows install it: $package; sys_platform == \"win32\""
  elif grep -qE "No such file or directory: '/|file:///.*(does not exist|not found)" "$2" &&
    grep -qE '@ *file:///' "$BUILD_DIR/$1"; then
    fail "$1 names files of the machine that it was made on, such as" \
      "    $(grep -E '@ *file:///' "$BUILD_DIR/$1" | sed -n 1p)" \
      "conda has pip freeze write such lines. Without them: pip list --format=freeze > $1"
  fi
}
