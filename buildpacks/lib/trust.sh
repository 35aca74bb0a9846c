# shellcheck shell=bash
# Whom a build trusts: the platform's certificates, and beside them those of the app. Config vars such as
# NODE_EXTRA_CA_CERTS are meant for a dyno, often for its database, and name a file that a build may not
# have: taken as they are, they would have a build trust nobody it needs.

readonly TRUST_SYSTEM=/etc/ssl/certs/ca-certificates.crt

# trust_also NAME FILE: adds what is in the app's file to whom the tools that read NAME trust. It may be
# named as a dyno finds it.
trust_also() {
  local file=${2/#"$HOME/"/"$BUILD_DIR/"} joined=$TMPDIR/trusted-$1.pem before=${!1:-$TRUST_SYSTEM}
  [[ $file == /* ]] || file=$BUILD_DIR/$file
  [[ -f $file && -f $before ]] || return 0
  # what ends in no line end would run into the next
  awk 1 "$before" "$file" >"$joined"
  export "$1=$joined"
}
