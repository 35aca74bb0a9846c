# shellcheck shell=bash
# Runs a package manager and turns its best-known failures into a sentence with the remedy.

# manager_run COMMAND...
manager_run() {
  local output=$TMPDIR/install.log
  (cd "$BUILD_DIR" && follow "$output" "$@") && return
  explain_failure "$output"
}

explain_failure() {
  local output=$1
  explain_private_repository "$output"
  explain_token "$output"
  explain_missing_package "$output"
  if grep -qE 'ETARGET|No matching version found' "$output"; then
    fail "A package is not available in the version that is asked for (see above)." \
      "Check the version in package.json and lock again."
  fi
  if grep -qE 'can only install (packages )?(with|when).*package-lock|package.json and package-lock.json .*in sync|needs to be updated|lockfile would have been modified|ERR_PNPM_OUTDATED_LOCKFILE' "$output"; then
    fail "The lock file does not fit package.json (see above)." \
      "Install on your machine with the same package manager and commit the lock file."
  fi
  if grep -q 'ERR_PNPM_IGNORED_BUILDS' "$output"; then
    fail "pnpm runs no install script of a package that nobody approved (see above)." \
      "Run 'pnpm approve-builds' on your machine and commit pnpm-workspace.yaml, or package.json."
  fi
  if grep -q 'ERR_PNPM_LOCKFILE_BREAKING_CHANGE' "$output"; then
    fail "This pnpm does not read the app's pnpm-lock.yaml (see above)." \
      "Name in packageManager the version that wrote it, or lock again and commit pnpm-lock.yaml."
  fi
  if grep -q 'EBADDEVENGINES' "$output"; then
    fail "devEngines of package.json does not allow what this build has (see above)." \
      "Change it, or name the version that it wants in engines or packageManager."
  fi
  if grep -qE 'EBADENGINE|The engine "node" is incompatible|ERR_PNPM_UNSUPPORTED_ENGINE' "$output"; then
    fail "A package does not run on node $(<"$BUILD_DIR/$NODE_HOME_PATH/version") (see above)." \
      "Change engines.node of package.json."
  fi
  fail "The packages of the app could not be installed (see above)."
}

# explain_token OUTPUT: ends the build if a registry answered 401 or 403.
explain_token() {
  local remedy
  grep -qE 'npm (ERR!|error) code E40[13]|ERR_PNPM_FETCH_40[13]|YN0041|Response Code: 40[13]|[Rr]equest .*failed.* "?40[13]|returned a 40[13]' "$1" ||
    return 0
  remedy="Say in .npmrc where it is, $(registry_of_npmrc):_authToken=\${NPM_TOKEN},"
  if is_modern_yarn_output "$1"; then
    remedy="Say in .yarnrc.yml, beside its npmRegistryServer, npmAuthToken: \"\${NPM_TOKEN}\""
  fi
  fail "The registry of a package wants a token (see above)." "$remedy" "and set the config var NPM_TOKEN."
}

# explain_missing_package OUTPUT: ends the build if a registry answered 404, as many do to strangers.
explain_missing_package() {
  local package file=.npmrc
  package=$(missing_package "$1")
  [[ -n $package ]] || return 0
  ! is_modern_yarn_output "$1" || file=.yarnrc.yml
  fail "The package '$package' does not exist in its registry, or is private." \
    "Check its name for typing errors; a private one needs a token in $file (\${NPM_TOKEN} as a config var)."
}

# missing_package OUTPUT: pnpm and the older yarn name but the address, of the package or its archive.
missing_package() {
  sed -nE "s#/-/[^ ]+\.tgz##; s#%2[fF]#/#
    s/^.*npm (ERR!|error) 404 .*'([^']+)' (is not in this registry|could not be found).*$/\2/p
    s/^.*Couldn't find package \"([^\"]+)\".*$/\1/p
    s/^.*YN[0-9]+: [^ ]+ ([^ ]+@[^ ]+): (No candidates|Package not) found.*$/\1/p
    /ERR_PNPM_FETCH_404|error .*([Nn]ot [Ff]ound|failed \"404)/!d
    s#^.*https?://[^ ]*/(@[^/ ]+/[^/ ]+): .*#\1#p
    s#^.*https?://[^ ]*/([^/ ]+): .*#\1#p" "$1" | sed -n 1p
}

# The newer yarn reads .yarnrc.yml alone, and numbers all that it says.
is_modern_yarn_output() {
  grep -q 'YN0000' "$1"
}

# registry_of_npmrc: the registry that the app names, as lines of .npmrc name one: //host/path/
registry_of_npmrc() {
  local found=
  if [[ -f $BUILD_DIR/.npmrc ]]; then
    found=$(sed -nE 's#^(@[^:=]+:)?registry *= *https?:(//[^ ]*[^/ ])/* *$#\2/#p' "$BUILD_DIR/.npmrc" | sed -n 1p)
  fi
  printf '%s' "${found:-//registry.example.com/}"
}
