# shellcheck shell=bash
# Folders that package.json wants kept from build to build: cacheDirectories, for what build scripts
# make, as .next/cache. node_modules itself is cached in its own way, see install.sh.

# restore_folders WHEN: before packages are installed, or after for those that lie among them.
restore_folders() {
  local folder
  while read -r folder; do
    if [[ -e $BUILD_DIR/$folder ]]; then
      detail "$folder is part of the source, and is not restored from the cache"
    elif cache_get "$(folder_name "$folder")" "$(folder_key)" "$BUILD_DIR/$folder"; then
      detail "Restored from the cache: $folder"
    else
      rm -rf "${BUILD_DIR:?}/$folder"
    fi
  done < <(cached_folders | if [[ $1 == before ]]; then grep -v '^node_modules/'; else grep '^node_modules/'; fi || true)
}

# keep_folders: one whose content is what it was is not written again.
keep_folders() {
  local folder name digest
  while read -r folder; do
    [[ -d $BUILD_DIR/$folder ]] || continue
    name=$(folder_name "$folder")
    digest=$(folder_digest "$BUILD_DIR/$folder")
    if ! cache_fits "$name" "$(folder_key)" || [[ $(cached_value "$name") != "$digest" ]]; then
      cache_keep "$name" "$(folder_key)" "$BUILD_DIR/$folder"
      mkdir -p "$CACHE_DIR/values/${name%/*}"
      cache_value "$name" "$digest"
    fi
  done < <(cached_folders)
}

# cached_folders: their names, one a line; none that leads elsewhere.
cached_folders() {
  [[ $(setting NODE_MODULES_CACHE true) != false ]] || return 0
  package_value '(.cacheDirectories // .cache_directories)[] | strings' | sed -E 's#^(\./)+##; s#/+$##' |
    grep -vE '^$|^/|^node_modules$|(^|/)\.\.(/|$)' | sort -u || true
}

folder_name() {
  printf 'node-folders/%s' "$(cache_key "$1" | cut -c1-16)"
}

folder_key() {
  cache_key "$STACK" "$(cut -d . -f 1 "$BUILD_DIR/$NODE_HOME_PATH/version")"
}

folder_digest() {
  tar --create --format=posix --sort=name --mtime=@0 --pax-option=delete=atime,delete=ctime \
    --directory="$1" . | sha256sum | cut -d ' ' -f 1
}
