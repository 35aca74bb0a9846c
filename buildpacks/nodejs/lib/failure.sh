# shellcheck shell=bash
# Runs a package manager and turns its best-known failures into a sentence with the remedy.

# manager_run COMMAND...
manager_run() {
  local output=$TMPDIR/install.log
  (cd "$BUILD_DIR" && "$@" 2>&1) | tee "$output" | indent && return
  explain_failure "$output"
}

explain_failure() {
  local output=$1 package
  explain_private_repository "$output"
  if grep -qE 'npm (ERR!|error) code E40[13]|ERR_PNPM_FETCH_40[13]|YN0041|[Rr]equest .*failed.* "?40[13]|returned a 40[13]' "$output"; then
    fail "The registry of a package wants a token (see above)." \
      "Say in .npmrc where it is, $(registry_of_npmrc):_authToken=\${NPM_TOKEN}," \
      "and set the config var NPM_TOKEN."
  fi
  package=$(sed -nE "s/^.*npm (ERR!|error) 404 .*'([^']+)' (is not in this registry|could not be found).*$/\2/p;
    s/^.*Couldn't find package \"([^\"]+)\".*$/\1/p;
    s/^.*ERR_PNPM_FETCH_404.* GET .*\/([^:]+): Not Found.*$/\1/p;
    s/^.*[^ ]+: ([^ ]+@[^ ]+): No candidates found.*$/\1/p" "$output" | head -n 1)
  if [[ -n $package ]]; then
    fail "The package '$package' does not exist in the npm registry, or is private." \
      "Check its name for typing errors; a private one needs a token in .npmrc (\${NPM_TOKEN} as a config var)."
  fi
  if grep -qE 'ETARGET|No matching version found' "$output"; then
    fail "A package is not available in the version that is asked for (see above)." \
      "Check the version in package.json and lock again."
  fi
  if grep -qE 'can only install (packages )?(with|when).*package-lock|package.json and package-lock.json .*in sync|needs to be updated|lockfile would have been modified|ERR_PNPM_OUTDATED_LOCKFILE' "$output"; then
    fail "The lock file does not fit package.json (see above)." \
      "Install on your machine with the same package manager and commit the lock file."
  fi
  if grep -qE 'EBADENGINE|The engine "node" is incompatible|ERR_PNPM_UNSUPPORTED_ENGINE' "$output"; then
    fail "A package does not run on node $(<"$BUILD_DIR/$NODE_HOME_PATH/version") (see above)." \
      "Change engines.node of package.json."
  fi
  fail "The packages of the app could not be installed (see above)."
}

# registry_of_npmrc: the registry that the app names, as lines of .npmrc name one: //host/path/
registry_of_npmrc() {
  local found=
  if [[ -f $BUILD_DIR/.npmrc ]]; then
    found=$(sed -nE 's#^(@[^:=]+:)?registry *= *https?:(//[^ ]*[^/ ])/* *$#\2/#p' "$BUILD_DIR/.npmrc" | sed -n 1p)
  fi
  printf '%s' "${found:-//registry.example.com/}"
}
