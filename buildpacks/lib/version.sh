# shellcheck shell=bash
# Compares versions and chooses one. Reads nothing but its arguments and standard input.

# version_at_least A B: tells whether A is B or newer.
version_at_least() {
  [[ $(printf '%s\n%s\n' "$1" "$2" | sort -V | tail -n 1) == "$1" ]]
}

# version_starts_with 3.13.5 3.13: tells whether the version is that number or of that line.
version_starts_with() {
  [[ $1 == "$2" || $1 == "$2".* ]]
}

# version_newest PREFIX: the newest version of standard input of a line; an empty one takes all.
version_newest() {
  local prefix=$1 version
  sort -V | while read -r version; do
    if [[ -z $prefix ]] || version_starts_with "$version" "$prefix"; then
      printf '%s\n' "$version"
    fi
  done | tail -n 1
}

# version_line 3.13.5 2: the first components, "3.13".
version_line() {
  cut -d . -f "1-$2" <<<"$1"
}

# version_list: standard input as one line "3.11.2, 3.13.5", for messages.
version_list() {
  sort -V | uniq | paste -sd , | sed 's/,/, /g'
}

# strict_versions: tells whether the nearest version will not do (BUILDPACK_STRICT_VERSIONS=1).
strict_versions() {
  [[ $(setting BUILDPACK_STRICT_VERSIONS) == 1 ]]
}

# nearest_version LANGUAGE WANTED COMPONENTS FOUND: the policy for stacks with one release per line.
# FOUND is what the source has of the line WANTED belongs to. Says so when it is another patch level,
# ends the build when BUILDPACK_STRICT_VERSIONS forbids it.
nearest_version() {
  local language=$1 wanted=$2 components=$3 found=$4
  if version_starts_with "$found" "$wanted"; then
    return
  fi
  if strict_versions; then
    fail "$language $wanted is not available, the stack $STACK has $found." \
      "Ask for $(version_line "$wanted" "$components"), or unset BUILDPACK_STRICT_VERSIONS."
  fi
  warn "$language $wanted is not available, the stack $STACK has $found, which is used instead." \
    "Ask for $(version_line "$wanted" "$components") to say that any patch level will do."
}
