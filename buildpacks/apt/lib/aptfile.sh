# shellcheck shell=bash
# Reads the Aptfile: package names, "name=version" and https addresses of .deb files. It refuses
# what it would not do, with the number of the line.

readonly PACKAGE_NAME='^[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?([=/][A-Za-z0-9.+:~-]+)?$'

# read_aptfile: sets PACKAGES and DEB_URLS.
read_aptfile() {
  local line word number=0
  PACKAGES=() DEB_URLS=()
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=${line%%#*}
    [[ $line != *:repo:* ]] || refuse_repository "$number"
    for word in ${line//$'\r'/}; do
      read_word "$word" "$number"
    done
  done <"$BUILD_DIR/Aptfile"
}

read_word() {
  if [[ $1 =~ ^https?://[^[:space:]]+\.deb$ ]]; then
    DEB_URLS+=("$1")
  elif [[ $1 =~ $PACKAGE_NAME ]]; then
    PACKAGES+=("$1")
  else
    fail "Line $2 of the Aptfile holds '$1', which is neither a package name nor the address of a .deb file." \
      "Write one package a line, for example: imagemagick"
  fi
}

refuse_repository() {
  fail "Line $1 of the Aptfile adds a repository (:repo:), which this buildpack does not do:" \
    "nothing would check who signed its packages." \
    "Write the https address of the .deb file itself, or have the package added to the stack."
}
