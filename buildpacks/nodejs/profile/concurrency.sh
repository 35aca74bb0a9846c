# shellcheck shell=bash
# WEB_CONCURRENCY: how many processes of WEB_MEMORY (MB) the dyno's memory has room for.
export WEB_MEMORY="${WEB_MEMORY:-512}"
if [ -z "${WEB_CONCURRENCY:-}" ]; then
  haikube_processes=$((${MEMORY_AVAILABLE:-512} / WEB_MEMORY))
  export WEB_CONCURRENCY=$((haikube_processes > 0 ? haikube_processes : 1))
  export WEB_CONCURRENCY_SET_BY=heroku/nodejs
  unset haikube_processes
fi
