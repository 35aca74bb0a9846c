# shellcheck shell=bash
# PHP on the command line, as in a worker, may use the memory of the dyno: the limit of php.ini is that of
# one request of many at a time.
if [ -n "${MEMORY_AVAILABLE:-}" ] && [ -w "$HOME/.heroku/php/etc/php" ]; then
  { cat "$HOME/.heroku/php/etc/php/php.ini" && printf '\nmemory_limit = %sM\n' "$MEMORY_AVAILABLE"; } \
    >"$HOME/.heroku/php/etc/php/php-cli.ini"
fi
