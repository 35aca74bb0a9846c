# shellcheck shell=bash
# What later buildpacks and the dyno find in their environment: the export file beside bin/, and
# scripts in .profile.d. A path below BUILD_DIR is /app at run time; say "$HOME/…" in the latter.

# profile_line SCRIPT LINE: adds one line to a script of .profile.d.
profile_line() {
  mkdir -p "$BUILD_DIR/.profile.d"
  printf '%s\n' "$2" >>"$BUILD_DIR/.profile.d/$1.sh"
}

# profile_set SCRIPT NAME VALUE: sets a variable; $HOME and others in VALUE are those of the dyno.
profile_set() {
  profile_line "$1" "export $2=\"$3\""
}

# profile_default SCRIPT NAME VALUE: sets a variable unless a config var has it, be it empty.
profile_default() {
  profile_line "$1" "export $2=\"\${$2-$3}\""
}

# profile_path SCRIPT FOLDER: puts a folder in front of PATH; FOLDER is relative to the app.
profile_path() {
  profile_line "$1" "export PATH=\"\$HOME/$2:\$PATH\""
}

# profile_memory: gives the dyno MEMORY_AVAILABLE (MB), from the platform or its cgroup v2 or v1.
profile_memory() {
  mkdir -p "$BUILD_DIR/.profile.d"
  cp -- "$HAIKUBE_LIB/dyno/memory.sh" "$BUILD_DIR/.profile.d/00-memory.sh"
}

# export_line LINE: adds a line to the file that later buildpacks source before their compile.
export_line() {
  printf '%s\n' "$1" >>"$BUILDPACK_DIR/export"
}

# export_set NAME VALUE: sets a variable for later buildpacks, and here.
export_set() {
  export_line "export $1=$(printf '%q' "$2")"
  export "$1=$2"
}

# export_path FOLDER: puts an absolute folder in front of PATH for later buildpacks, and here.
export_path() {
  export_line "export PATH=$(printf '%q' "$1"):\$PATH"
  export PATH="$1:$PATH"
}

# app_link FOLDER: makes /app/FOLDER lead to BUILD_DIR/FOLDER, so that absolute paths that tools
# write down at build time are those of the dyno.
app_link() {
  local home=${HOME:-/app}
  [[ $home != "$BUILD_DIR" ]] || return 0
  mkdir -p "$(dirname -- "$home/$1")" "$BUILD_DIR/$1"
  rm -rf "${home:?}/$1"
  ln -s "$BUILD_DIR/$1" "$home/$1"
}
