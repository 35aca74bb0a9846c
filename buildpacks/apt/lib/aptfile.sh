# shellcheck shell=bash
# Reads the Aptfile: package names, "name=version" and https addresses of .deb files. It refuses
# what it would not do, with the number of the line.

readonly PACKAGE_NAME='^[a-z0-9][a-z0-9+.-]+(:[a-z0-9]+)?([=/][A-Za-z0-9.+:~-]+)?$'

# What Ubuntu, which Heroku's stacks are made of, calls otherwise than Debian.
readonly -A NAMES_OF_UBUNTU=(
  [chromium-browser]=chromium
  [libappindicator3-1]=libayatana-appindicator3-1
  [libgl1-mesa-glx]=libgl1
  [libjpeg8-dev]=libjpeg62-turbo-dev
  [libjpeg-turbo8-dev]=libjpeg62-turbo-dev
  [libmysqlclient-dev]=default-libmysqlclient-dev
  [libvips]=libvips42t64
  [mysql-client]=default-mysql-client
  [netcat]=netcat-openbsd
)

# read_aptfile: sets PACKAGES and DEB_URLS.
read_aptfile() {
  local line word number=0
  PACKAGES=() DEB_URLS=() RENAMED=()
  while IFS= read -r line || [[ -n $line ]]; do
    number=$((number + 1))
    line=${line%%#*}
    [[ $line != *:repo:* ]] || refuse_repository "$number"
    for word in ${line//$'\r'/}; do
      read_word "$word" "$number"
    done
  done <"$BUILD_DIR/Aptfile"
  ((${#RENAMED[@]} == 0)) ||
    warn "Names of Ubuntu in the Aptfile are other ones on the stack $STACK, and were taken as such:" "${RENAMED[@]}"
}

read_word() {
  if [[ $1 =~ ^https?://[^[:space:]]+\.deb$ ]]; then
    DEB_URLS+=("$1")
  elif [[ $1 =~ $PACKAGE_NAME ]]; then
    take_package "$1"
  else
    fail "Line $2 of the Aptfile holds '$1', which is neither a package name nor the address of a .deb file." \
      "Write one package a line, for example: imagemagick"
  fi
}

# take_package NAME
take_package() {
  local here=${NAMES_OF_UBUNTU[$1]:-$1}
  [[ $here == "$1" ]] || RENAMED+=("$1 is $here")
  PACKAGES+=("$here")
}

refuse_repository() {
  fail "Line $1 of the Aptfile adds a repository (:repo:), which this buildpack does not do:" \
    "nothing would check who signed its packages." \
    "Write the https address of the .deb file itself, or have the package added to the stack."
}
