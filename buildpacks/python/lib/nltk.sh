# shellcheck shell=bash
# The data of NLTK that an app names in nltk.txt, beside its Python, where NLTK looks by itself.

# download_nltk MANAGER: the words of nltk.txt, where NLTK is one of the app's packages.
download_nltk() {
  local words target=$BUILD_DIR/$PYTHON_HOME/nltk_data key
  [[ -f $BUILD_DIR/nltk.txt ]] || return 0
  if ! "$PYTHON" -c 'import nltk' 2>/dev/null; then
    warn "nltk.txt is not read: nltk is not among the packages of $(lock_file_of "$1")." \
      "Add it there, or remove nltk.txt."
    return
  fi
  read -ra words <<<"$(tr -d '\r' <"$BUILD_DIR/nltk.txt" | sed -E 's/#.*//' | tr '\n' ' ')"
  ((${#words[@]})) || return 0
  key=$(cache_key "${words[@]}" "$(date +%G-%V)")
  if ! cache_get nltk "$key" "$target"; then
    fetch_nltk "$target" "${words[@]}"
    cache_put nltk "$key" "$target"
  fi
  profile_default python NLTK_DATA "\$HOME/$PYTHON_HOME/nltk_data"
}

# fetch_nltk FOLDER WORD...: it ends well, too, where it could not load what is asked for.
fetch_nltk() {
  local output=$TMPDIR/nltk.log
  topic "Downloading NLTK packages: ${*:2}"
  mkdir -p "$1"
  if ! follow "$output" "$PYTHON" -m nltk.downloader -d "$1" "${@:2}" || grep -q 'Error loading' "$output"; then
    fail "The data of nltk.txt could not be fetched (see above)." \
      "Check its names, and that builds reach the place where NLTK has its data. Or commit the data in a folder," \
      "name it in the config var NLTK_DATA, and remove nltk.txt."
  fi
}
