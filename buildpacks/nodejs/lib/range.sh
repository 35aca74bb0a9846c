# shellcheck shell=bash
# Which major versions a range of npm's kind has, before there is an npm to ask.

# range_allows RANGE MAJOR...: tells whether it has releases of one of these. What is not understood may.
range_allows() {
  local range=$1 alternative major
  shift
  while read -r alternative; do
    for major in "$@"; do
      alternative_allows "$alternative" "$major" && return
    done
  done <<<"${range//||/$'\n'}"
  return 1
}

# alternative_allows COMPARATORS MAJOR
alternative_allows() {
  local word words
  words=$(sed -E 's/([<>=~^])[[:space:]]+/\1/g; s/([^[:space:]]+)[[:space:]]+-[[:space:]]+([^[:space:]]+)/>=\1 <=\2/' <<<"$1")
  for word in $words; do
    comparator_allows "$word" "$2" || return 1
  done
}

# comparator_allows COMPARATOR MAJOR: a lower part of a bound leaves a rest of its major version.
comparator_allows() {
  local pattern='^([<>=~^]*)v?([0-9]+)(\.([0-9.]*[1-9]))?'
  [[ $1 =~ $pattern ]] || return 0
  case ${BASH_REMATCH[1]} in
  '>=') (($2 >= BASH_REMATCH[2])) ;;
  '>') (($2 > BASH_REMATCH[2])) || { (($2 == BASH_REMATCH[2])) && [[ $1 == *.* ]]; } ;;
  '<') (($2 < BASH_REMATCH[2])) || { (($2 == BASH_REMATCH[2])) && [[ -n ${BASH_REMATCH[4]:-} ]]; } ;;
  '<=') (($2 <= BASH_REMATCH[2])) ;;
  *) (($2 == BASH_REMATCH[2])) ;;
  esac
}
