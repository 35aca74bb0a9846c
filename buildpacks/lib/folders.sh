# shellcheck shell=bash
# Folders of an app that a build writes into.

# require_folders NAME...: whatever the app has of these names can hold files. A link that leads nowhere
# holds nothing, and is left out.
require_folders() {
  local name path
  for name in "$@"; do
    path=$BUILD_DIR/$name
    if [[ -L $path && ! -e $path ]]; then
      warn "The link $name leads nowhere, and a build needs a folder of that name: it is left out."
      rm -f "$path"
    elif [[ -e $path && ! -d $path ]]; then
      fail "The app has a file $name, and a build needs a folder of that name." \
        "Give the file another: git mv $name ${name#.}.txt"
    fi
  done
}
