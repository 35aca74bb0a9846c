# shellcheck shell=bash
# What the buildpacks that bring nginx have in common.

# nginx_types FILE TARGET: its list of file types, with modules of JavaScript: a browser runs none that is
# served as anything else.
nginx_types() {
  mv "$1" "$2"
  grep -qw mjs "$2" || sed -i 's|^}|    text/javascript                                  mjs;\n}|' "$2"
}
