# shellcheck shell=bash
# What is kept between builds in CACHE_DIR. A tree is kept as one archive with a key of what it was
# made from: thousands of files are then written once, into the build, and whoever changes them
# there does not change the cache. A tree whose key no longer fits is dropped. Tools that have a
# cache of their own get a folder.

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

# cache_fits NAME KEY: tells whether there is such a tree, or a folder CACHE_DIR/NAME with this key
# in NAME.key.
cache_fits() {
  [[ -e $CACHE_DIR/$1.tar.zst || -d $CACHE_DIR/$1 ]] &&
    [[ -f $CACHE_DIR/$1.key && $(<"$CACHE_DIR/$1.key") == "$2" ]]
}

# cache_get NAME KEY TARGET: unpacks a tree to TARGET; returns 1 when it does not fit, and drops it.
cache_get() {
  if ! cache_fits "$1" "$2"; then
    cache_drop "$1"
    return 1
  fi
  rm -rf "$3"
  mkdir -p "$3"
  zstd -dcq "$CACHE_DIR/$1.tar.zst" | tar --extract --directory="$3" --preserve-permissions
}

# cache_put NAME KEY SOURCE [ENTRY...]: keeps a tree, or some entries of it; one with the same key
# is left as it is.
cache_put() {
  if ! cache_fits "$1" "$2"; then
    cache_keep "$@"
  fi
}

# cache_keep NAME KEY SOURCE [ENTRY...]: replaces a tree, whatever was there.
cache_keep() {
  local name=$1 key=$2 source=$3
  shift 3
  cache_drop "$name"
  mkdir -p "$(dirname -- "$CACHE_DIR/$name")"
  tar --create --format=posix --sort=name --directory="$source" -- "${@:-.}" |
    zstd -1 -T0 -q -o "$CACHE_DIR/$name.tar.zst"
  printf '%s\n' "$key" >"$CACHE_DIR/$name.key"
}

# cache_drop NAME: forgets a tree.
cache_drop() {
  rm -rf "${CACHE_DIR:?}/$1" "$CACHE_DIR/$1.tar.zst" "$CACHE_DIR/$1.key"
}

# cache_folder NAME: makes a folder for a tool's own cache and prints its path.
cache_folder() {
  mkdir -p "$CACHE_DIR/$1"
  printf '%s' "$CACHE_DIR/$1"
}

# cache_times FOLDER: what cache_settle needs to know before a tool uses its folder of the cache.
cache_times() {
  find "$CACHE_DIR/$1" -type f -printf '%s %T@ %P\0'
}

# cache_settle FOLDER TIMES: gives files that a tool only touched their old times back, so that a build
# that changed nothing uploads nothing. TIMES is a file with the output of cache_times.
cache_settle() {
  python3 -I -c '
import os, sys
folder, times = sys.argv[1:]
for line in filter(None, open(times, "rb").read().split(b"\0")):
    size, mtime, name = line.split(b" ", 2)
    path = os.path.join(os.fsencode(folder), name)
    seconds, _, fraction = mtime.partition(b".")
    old = int(seconds) * 10**9 + int(fraction[:9].ljust(9, b"0"))
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        continue
    if info.st_size == int(size) and info.st_mtime_ns != old:
        os.utime(path, ns=(old, old), follow_symlinks=False)
' "$CACHE_DIR/$1" "$2"
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
