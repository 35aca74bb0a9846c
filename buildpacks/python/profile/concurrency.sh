# shellcheck shell=bash
# WEB_CONCURRENCY: gunicorn and uvicorn start this many workers: two per core and one, as far as the
# memory allows 256 MB for each.
if [ -z "${WEB_CONCURRENCY:-}" ]; then
  haikube_workers=$(($(nproc) * 2 + 1))
  if [ -n "${MEMORY_AVAILABLE:-}" ] && [ "$((MEMORY_AVAILABLE / 256))" -lt "$haikube_workers" ]; then
    haikube_workers=$((MEMORY_AVAILABLE / 256))
  fi
  export WEB_CONCURRENCY=$((haikube_workers > 0 ? haikube_workers : 1))
  export WEB_CONCURRENCY_SET_BY=heroku/python
  unset haikube_workers
fi
