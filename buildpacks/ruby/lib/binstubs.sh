# shellcheck shell=bash
# Programs in bin/ of an app that was made on Windows: they ask for an interpreter called ruby.exe.

# mend_binstubs: lets them run with ruby, and says which they are.
mend_binstubs() {
  local file mended=()
  for file in "$BUILD_DIR"/bin/*; do
    asks_for_windows "$file" || continue
    sed -i '1s/ruby\.exe/ruby/' "$file"
    mended+=("${file#"$BUILD_DIR/"}")
  done
  ((${#mended[@]} == 0)) ||
    warn "${mended[*]} begin with a line for Windows (ruby.exe), and were mended for this build." \
      "Run 'bundle exec rake app:update:bin', or correct their first line, and commit them."
}

asks_for_windows() {
  [[ -f $1 ]] && sed -n '1p' "$1" | grep -aE '^#!.*\bruby\.exe\b' >/dev/null
}
