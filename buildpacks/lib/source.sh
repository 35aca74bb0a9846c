# shellcheck shell=bash
# Where runtimes come from. Each buildpack has a setting BUILDPACK_<LANGUAGE>_SOURCE, a config var of
# the app or a variable of the platform: upstream (the language's own downloads), deb (packages of
# the stack's distribution), registry (a package registry), or the URL of an archive.

# runtime_source LANGUAGE DEFAULT KINDS...: prints the chosen kind or URL; ends the build on others.
runtime_source() {
  local language=$1 default=$2 name chosen
  shift 2
  name="BUILDPACK_${language^^}_SOURCE"
  chosen=$(setting "$name" "$default")
  if [[ $chosen == http://* || $chosen == https://* ]]; then
    printf '%s' "$chosen"
    return
  fi
  if [[ " $* " != *" $chosen "* ]]; then
    fail "$name is '$chosen', which is not known here." "Known are: $*, or the URL of an archive."
  fi
  printf '%s' "$chosen"
}
