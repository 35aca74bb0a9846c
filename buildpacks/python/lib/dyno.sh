# shellcheck shell=bash
# The environment of a Python dyno.

write_dyno_profile() {
  profile_memory
  profile_path python "$PYTHON_HOME/bin"
  profile_default python PYTHONUNBUFFERED 1
  profile_default python LANG C.UTF-8
  profile_default python PYTHONPATH "\$HOME"
  profile_default python FORWARDED_ALLOW_IPS '*'
  profile_default python GUNICORN_CMD_ARGS '--access-logfile -'
  if [[ -n ${LD_LIBRARY_PATH:-} ]]; then
    profile_set python LD_LIBRARY_PATH "$LD_LIBRARY_PATH\${LD_LIBRARY_PATH:+:\$LD_LIBRARY_PATH}"
  fi
  cp "$BUILDPACK_DIR/profile/concurrency.sh" "$BUILD_DIR/.profile.d/python-concurrency.sh"
}
