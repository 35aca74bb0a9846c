# shellcheck shell=bash
# Which Node.js the app asks for, and which release that is.

# node_default: the range of an app that asks for none.
node_default() {
  printf '%s.x' "$(runtime_default nodejs)"
}

# node_request: the range of engines.node, or the default.
node_request() {
  local range
  range=$(package_value .engines.node)
  if [[ -z $range ]]; then
    range=$(node_default)
  elif [[ $range == '*' || $range == x || $range =~ ^\>=?[^\<]*$ ]]; then
    warn "Dangerous semver range ($range) in engines.node: a new major release may break the app." \
      "Ask for one major release, such as \"$(node_default)\"." >&2
  fi
  printf '%s' "$range"
}

# resolve_node NODE NPM_FOLDER RANGE < VERSIONS: the newest release in a range, by npm's own rules; none
# of a line that is not mended for long, as the odd ones, where the range has another.
resolve_node() {
  "$1" -e '
    const semver = require(process.argv[1] + "/node_modules/semver");
    const known = require("fs").readFileSync(0, "utf8").split("\n").filter(semver.valid);
    const range = process.argv[2];
    if (!semver.validRange(range)) process.exit(2);
    const kept = known.filter((each) => semver.major(each) <= process.argv[3]);
    console.log(semver.maxSatisfying(kept, range) || semver.maxSatisfying(known, range) || "");
  ' "$2" "$3" "$(runtime_query nodejs .line | sort -V | tail -n 1)"
}

# unresolved_node RANGE < VERSIONS: ends the build, naming what there is.
unresolved_node() {
  fail "Could not find a Node.js version for the range '$1' of engines.node in package.json." \
    "Available are: $(cut -d . -f 1 | sort -nu | awk '$1 >= 14 { printf "%s%s.x", sep, $1; sep = ", " }')." \
    "Ask for one of them, such as \"$(node_default)\"."
}
