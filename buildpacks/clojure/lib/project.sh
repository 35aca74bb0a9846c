# shellcheck shell=bash
# Reads project.clj as text: it must be understood before there is a Clojure. It never writes it.

# project_text: the project without comments.
project_text() {
  tr -d '\r' <"$BUILD_DIR/project.clj" | sed -E 's/;.*$//'
}

# project_string KEY: the first string after a keyword.
project_string() {
  project_text | tr '\n' ' ' | sed -nE "s/.*$1[[:space:]]+\"([^\"]+)\".*/\1/p" | sed -n 1p
}

project_has() {
  project_text | grep -- "$1" >/dev/null
}

# refuse_old_leiningen: the distribution has Leiningen 2, which version 1 projects do not fit.
refuse_old_leiningen() {
  local least
  least=$(project_string :min-lein-version)
  [[ -z $least ]] || version_at_least "$1" "$least" ||
    fail "project.clj asks for Leiningen $least, the stack $STACK has $1." \
      "Lower :min-lein-version."
}
