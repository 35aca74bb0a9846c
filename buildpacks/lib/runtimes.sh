# shellcheck shell=bash
# The lines of each language that can be had, from runtimes.json beside this file: a person updates
# that. Per language: "default", the line of an app that asks for none (else the stack's own); "ends",
# where its makers say until when they mend what. Per line: "suite", the suite of the distribution that
# has it, if one has; "until", the last month (YYYY-MM) in which its makers mend it; "made", true where
# the platform makes it from source; "heroku", true where Heroku supports it.

# runtime_query LANGUAGE FILTER [WORD]: what jq's filter gives of each line of a language, where the
# word is $word.
runtime_query() {
  jq -r --arg language "$1" --arg word "${3:-}" ".[\$language].lines[] | $2" "$HAIKUBE_LIB/runtimes.json"
}

# runtime_default LANGUAGE: the line of an app that asks for none.
runtime_default() {
  jq -r --arg language "$1" '.[$language].default' "$HAIKUBE_LIB/runtimes.json"
}

# runtime_fact LANGUAGE LINE KEY: empty when there is no such line or nothing is said.
runtime_fact() {
  runtime_query "$1" "select(.line == \$word).$3 // empty" "$2"
}

# runtime_suite LANGUAGE LINE: the suite of the distribution that has the line, or nothing.
runtime_suite() {
  runtime_fact "$1" "$2" suite
}

# runtime_suite_lines LANGUAGE: the lines that some suite has, one a line.
runtime_suite_lines() {
  runtime_query "$1" 'select(.suite).line' | sort -V
}

# runtime_stack_lines LANGUAGE: the lines that the stack's own suite has, one a line.
runtime_stack_lines() {
  # shellcheck disable=SC2016  # jq's
  runtime_query "$1" 'select(.suite == $word).line' "$(stack_suite)" | sort -V
}

# runtime_origin SUITE: where a runtime comes from, in words for the log.
runtime_origin() {
  if [[ $1 == "$(stack_suite)" ]]; then
    printf 'from the packages of the stack %s' "$STACK"
  else
    printf "from the suite %s of the stack's distribution, beside the stack's own" "$1"
  fi
}

# runtime_warn_ended NAME LANGUAGE LINE: says so when nobody mends the line any more.
runtime_warn_ended() {
  local until
  until=$(runtime_fact "$2" "$3" until)
  [[ -n $until && $until < $(date +%Y-%m) ]] || return 0
  warn "$1 $3 had its end of life in $until: its makers mend no security holes in it any more." \
    "Move to a newer line; $1 $(runtime_newest_kept "$2") is kept up."
}

# runtime_newest_kept LANGUAGE: the newest line that is mended today.
runtime_newest_kept() {
  # shellcheck disable=SC2016  # jq's
  runtime_query "$1" 'select(.until >= $word).line' "$(date +%Y-%m)" | sort -V | tail -n 1
}

# platform_folder: where the platform mounts what a build is given.
platform_folder() {
  printf '/haikube'
}

# platform_runtimes LANGUAGE: the releases that the platform made from source for this stack, one a line.
platform_runtimes() {
  local file
  for file in "$(platform_folder)/urls/runtime-$1"-*; do
    [[ ! -f $file ]] || printf '%s\n' "${file##*/runtime-"$1"-}"
  done | sort -V
}

# platform_runtime LANGUAGE VERSION TARGET: one of them, checked and unpacked.
platform_runtime() {
  local name=$1-$2 digest
  digest=$(jq -er --arg name "$name" '.runtimes[$name]' "$(platform_folder)/request/request.json")
  detail "It comes from the platform, which made it from its source for the stack $STACK"
  download "$(<"$(platform_folder)/urls/runtime-$name")" "$TMPDIR/runtime.tar.zst" "$digest" ||
    fail "$name, which the platform made for this stack, could not be fetched (see above)." \
      "Try again; if it fails once more, an administrator makes it anew: haikube runtimes add $1 $2"
  mkdir -p "$3"
  zstd -dcq "$TMPDIR/runtime.tar.zst" | tar --extract --directory="$3" --no-same-owner
  rm -f "$TMPDIR/runtime.tar.zst"
}

# runtime_next LANGUAGE LINE: the nearest newer line that a suite has; the newest when none is newer.
runtime_next() {
  local line
  while read -r line; do
    if version_at_least "$line" "$2"; then
      printf '%s\n' "$line"
      return
    fi
  done < <(runtime_suite_lines "$1")
  runtime_suite_lines "$1" | tail -n 1
}
