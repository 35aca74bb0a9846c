# shellcheck shell=bash
# When a tool could not have what lies behind a password. Each tool words it in its own way; a build
# has no terminal to ask and no key of a person, so credentials come from config vars.

# refused_repository LOG: the host of a git repository that let nobody in; nothing when none did so.
refused_repository() {
  sed -nE "s#^.*(could not read Username|Authentication failed) for '?https?://([^/@']*@)?([^/']+).*#\3#p
    s#^.*git@([^:/ ]+): Permission denied.*#\1#p" "$1" | sed -n 1p
}

# explain_private_repository LOG: ends the build if a git repository was the reason.
explain_private_repository() {
  local host
  host=$(refused_repository "$1")
  [[ -n $host ]] || return 0
  fail "The git repository of a dependency on $host is private, or does not exist (see above)." \
    "A build has no key of yours; three config vars make git use a token instead:" \
    "    GIT_CONFIG_COUNT=1" \
    "    GIT_CONFIG_KEY_0=url.https://USER:TOKEN@$host/.insteadOf" \
    "    GIT_CONFIG_VALUE_0=https://$host/"
}

# repository_refused LOG: tells whether a repository of Java libraries answered 401 or 403.
repository_refused() {
  grep -qiE 'status( code)?:? 40[13]|(^|[^a-z])(unauthorized|forbidden): https?:|not authorized|authentication failed for https?:' "$1"
}
