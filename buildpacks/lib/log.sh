# shellcheck shell=bash
# Prints the build log in Heroku's format: steps, their lines, warnings, and the end of a build.

# topic TEXT: the title of a step, "-----> TEXT".
topic() {
  printf -- '-----> %s\n' "$*"
}

# detail TEXT: one line below a title.
detail() {
  printf '       %s\n' "$*"
}

# warn LINE...: a block that does not end the build.
warn() {
  printf '\n'
  printf ' !     %s\n' "$@"
  printf '\n'
}

# The exit code of fail: whoever called it need not explain the error again.
readonly EXPLAINED=77

# fail LINE...: ends the build; the lines say what is wrong, with its value, and what helps. It may be
# called inside $(...) as well.
fail() {
  trap - ERR
  remark_proxies >&2
  warn "$@" >&2
  exit "$EXPLAINED"
}

# indent: puts what is piped into it below a title, line by line, without waiting for more.
# Not sed -u: it reads byte by byte, and 100 MB of output would take a minute.
indent() {
  stdbuf -oL sed 's/^/       /'
}

# run COMMAND...: runs a tool of the app with its output below the title; returns its exit code.
run() {
  follow /dev/null "$@"
}

# follow LOG COMMAND...: the same, and the output into a file as well. The end of the command is the
# end: what it leaves running in the background, with its output still open, is heard for two seconds.
follow() {
  local log=$1 code=0 out reader tries
  shift
  exec {out}> >(tee -- "$log" | indent)
  reader=$!
  (tool "$@") >&"$out" 2>&1 {out}>&- || code=$?
  exec {out}>&-
  for ((tries = 0; tries < 40; tries++)); do
    kill -0 "$reader" 2>/dev/null || break
    sleep 0.05
  done
  return "$code"
}

# quietly COMMAND...: runs a command and shows what it printed only when it fails.
quietly() {
  local output code=0
  output=$(mktemp "$TMPDIR/output.XXXXXX")
  "$@" >"$output" 2>&1 || code=$?
  if ((code)); then
    indent <"$output"
  fi
  rm -f "$output"
  return "$code"
}
