# shellcheck shell=bash
# Leads compilers at build time and the dyno to what lies in .apt instead of /usr.

# Files that know their place: pkg-config's, and links to absolute paths inside the packages.
repair_paths() {
  local root=$BUILD_DIR/$APT_FOLDER link target
  find "$root" -name '*.pc' -exec sed -i "s,^prefix=/usr,prefix=$root/usr," {} +
  find "$root" -type l -lname '/*' | while read -r link; do
    target=$(readlink "$link")
    if [[ -e $root$target ]]; then
      ln -sfn "$(realpath -m --relative-to="$(dirname "$link")" "$root$target")" "$link"
    fi
  done
}

# link_hidden_libraries: some lie in folders of their own, and what leads there is made by a script (the
# alternatives of BLAS) or written into a library (PulseAudio), neither of which there is here.
link_hidden_libraries() {
  local folder file
  folder=$BUILD_DIR/$APT_FOLDER/usr/lib/$(machine_name)
  [[ -d $folder ]] || return 0
  find "$folder" -mindepth 2 -maxdepth 2 \( -name 'lib*.so.[0-9]*' -o -path '*/pulseaudio/lib*.so' \) |
    sort | while read -r file; do
    [[ -e $folder/${file##*/} || -L $folder/${file##*/} ]] || ln -s "${file#"$folder/"}" "$folder/${file##*/}"
  done
}

# machine_paths ROOT FOLDER: usr/lib/x86_64-linux-gnu and usr/lib as one search path.
machine_paths() {
  printf '%s/usr/%s/%s:%s/usr/%s' "$1" "$2" "$(machine_name)" "$1" "$2"
}

machine_name() {
  gcc -print-multiarch
}

write_environment() {
  local root=$BUILD_DIR/$APT_FOLDER libraries
  libraries=$(machine_paths "$root" lib)
  export_path "$root/usr/sbin"
  export_path "$root/usr/bin"
  export_set LD_LIBRARY_PATH "$libraries${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  export_set LIBRARY_PATH "$libraries${LIBRARY_PATH:+:$LIBRARY_PATH}"
  export_set CPATH "$(machine_paths "$root" include)${CPATH:+:$CPATH}"
  export_set PKG_CONFIG_PATH "$(machine_paths "$root" lib | sed 's,:,/pkgconfig:,; s,$,/pkgconfig,'):$root/usr/share/pkgconfig"
  export_set GI_TYPELIB_PATH "$(machine_folder "$root" girepository-1.0)${GI_TYPELIB_PATH:+:$GI_TYPELIB_PATH}"
  write_dyno_environment
}

# machine_folder ROOT NAME: a folder of libraries of this machine.
machine_folder() {
  printf '%s/usr/lib/%s/%s' "$1" "$(machine_name)" "$2"
}

# The name puts it before the scripts of the languages, which may build on it.
write_dyno_environment() {
  # shellcheck disable=SC2016  # the variables are the dyno's
  profile_line 000-apt 'export LD_LIBRARY_PATH="'"$(machine_paths '$HOME/.apt' lib)"'${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"'
  # shellcheck disable=SC2016  # the variables are the dyno's
  profile_line 000-apt 'export GI_TYPELIB_PATH="'"$(machine_folder '$HOME/.apt' girepository-1.0)"'${GI_TYPELIB_PATH:+:$GI_TYPELIB_PATH}"'
  profile_path 000-apt "$APT_FOLDER/usr/sbin"
  profile_path 000-apt "$APT_FOLDER/usr/games"
  profile_path 000-apt "$APT_FOLDER/usr/bin"
}
