# shellcheck shell=bash
# Answers RubyGems requirements ("~> 3.3", ">= 3.1, < 3.5"). Reads nothing but its arguments.

# "~> 3.3.1" means at least 3.3.1 and of the line 3.3; "~> 3.3" is the line 3, and "~> 3" as well.
version_is_near() {
  local line=$2
  [[ $line != *.* ]] || line=${line%.*}
  version_at_least "$1" "$2" && version_starts_with "$1" "$line"
}

# version_differs_and A B C D: A is not B, and C is at least D: what < and > have in common.
version_differs_and() {
  [[ $1 != "$2" ]] && version_at_least "$3" "$4"
}

# version_fits VERSION CLAUSE, for example version_fits 3.3.14 "~> 3.3".
version_fits() {
  local version=$1 operator wanted
  [[ $2 =~ ^[[:space:]]*(~>|>=|<=|!=|=|>|<)?[[:space:]]*([0-9A-Za-z.]+)[[:space:]]*$ ]] || return 1
  operator=${BASH_REMATCH[1]} wanted=${BASH_REMATCH[2]}
  case $operator in
  '' | '=') version_starts_with "$version" "$wanted" ;;
  '!=') [[ $version != "$wanted" ]] ;;
  '>=') version_at_least "$version" "$wanted" ;;
  '<=') version_at_least "$wanted" "$version" ;;
  '>') version_differs_and "$version" "$wanted" "$version" "$wanted" ;;
  '<') version_differs_and "$version" "$wanted" "$wanted" "$version" ;;
  '~>') version_is_near "$version" "$wanted" ;;
  esac
}

# version_fits_all VERSION "CLAUSE, CLAUSE".
version_fits_all() {
  local clause clauses
  IFS=, read -ra clauses <<<"$2"
  for clause in "${clauses[@]}"; do
    version_fits "$1" "$clause" || return 1
  done
}

# newest_fitting "CLAUSES": the newest of the versions on standard input, empty when none fits.
newest_fitting() {
  local version
  sort -V | while read -r version; do
    if version_fits_all "$version" "$1"; then
      printf '%s\n' "$version"
    fi
  done | tail -n 1
}
