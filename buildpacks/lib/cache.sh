# shellcheck shell=bash
# Folders kept between builds in CACHE_DIR, each with a key of what it was made from. A tree whose
# key no longer fits is dropped. Files are hard-linked, which costs neither time nor space, so a
# tree that is changed in place must be taken with cache_take instead.

# cache_key VALUE...: a digest of its arguments; of files say "$(file_digest FILE)".
cache_key() {
  printf '%s\0' "$@" | sha256sum | cut -d ' ' -f 1
}

# file_digest FILE...: one digest of the files that exist.
file_digest() {
  local file
  for file in "$@"; do
    if [[ -f $file ]]; then
      sha256sum <"$file"
    fi
  done | sha256sum | cut -d ' ' -f 1
}

# cache_fits NAME KEY: tells whether there is such a tree.
cache_fits() {
  [[ -d $CACHE_DIR/$1 && -f $CACHE_DIR/$1.key && $(<"$CACHE_DIR/$1.key") == "$2" ]]
}

# cache_get NAME KEY TARGET: links a tree to TARGET; returns 1 when it does not fit, and drops it.
cache_get() {
  if ! cache_fits "$1" "$2"; then
    cache_drop "$1"
    return 1
  fi
  rm -rf "$3"
  mkdir -p "$(dirname -- "$3")"
  cp -al -- "$CACHE_DIR/$1" "$3"
}

# cache_put NAME KEY SOURCE: keeps a tree; one with the same key is left as it is.
cache_put() {
  if cache_fits "$1" "$2"; then
    return
  fi
  cache_drop "$1"
  mkdir -p "$(dirname -- "$CACHE_DIR/$1")"
  cp -al -- "$3" "$CACHE_DIR/$1"
  printf '%s\n' "$2" >"$CACHE_DIR/$1.key"
}

# cache_take NAME KEY TARGET: moves a tree out of the cache; keep it again with cache_keep.
cache_take() {
  if ! cache_fits "$1" "$2"; then
    cache_drop "$1"
    return 1
  fi
  rm -rf "$3"
  mkdir -p "$(dirname -- "$3")"
  mv -- "$CACHE_DIR/$1" "$3"
}

# cache_keep NAME KEY SOURCE: replaces a tree by SOURCE, whatever was there.
cache_keep() {
  cache_drop "$1"
  mkdir -p "$(dirname -- "$CACHE_DIR/$1")"
  cp -al -- "$3" "$CACHE_DIR/$1"
  printf '%s\n' "$2" >"$CACHE_DIR/$1.key"
}

# cache_drop NAME: forgets a tree.
cache_drop() {
  rm -rf "${CACHE_DIR:?}/$1" "$CACHE_DIR/$1.key"
}

# cache_folder NAME: makes a folder for a tool's own cache and prints its path.
cache_folder() {
  mkdir -p "$CACHE_DIR/$1"
  printf '%s' "$CACHE_DIR/$1"
}

# cached_value NAME: a small text kept from the last build, empty when there is none.
cached_value() {
  if [[ -f $CACHE_DIR/values/$1 ]]; then
    cat -- "$CACHE_DIR/values/$1"
  fi
}

# cache_value NAME VALUE: keeps a small text; an equal one is not written again.
cache_value() {
  [[ $(cached_value "$1") == "$2" ]] && return 0
  mkdir -p "$CACHE_DIR/values"
  printf '%s\n' "$2" >"$CACHE_DIR/values/$1"
}
