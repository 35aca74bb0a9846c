# shellcheck shell=bash
# What of an app's config vars the JVMs of a build see. Options for every JVM are meant for dynos, as on
# Heroku: those of the platform's own steps get none of them. Loaded by jvm.sh.

# Options that a JVM takes from its environment and Heroku passes to builds, too.
readonly JVM_OPTION_VARS=(JDK_JAVA_OPTIONS _JAVA_OPTIONS)

# jvm_export_env_dir [NAMES]: exports config vars as export_env_dir does; NAMES ("A|B") are left out as well.
jvm_export_env_dir() {
  local name
  export_env_dir "^(JAVA_OPTS|JAVA_TOOL_OPTIONS|JAVA_HOME|JDK_URL|$(IFS='|' && printf '%s' "${JVM_OPTION_VARS[*]}")${1:+|$1})$"
  for name in "${JVM_OPTION_VARS[@]}"; do
    jvm_pass_options "$name"
  done
}

# jvm_pass_options NAME: to the app's tools, without agents: those lie in a slug that is not made yet.
jvm_pass_options() {
  local wanted kept
  wanted=$(config_var "$1")
  [[ -n $wanted ]] || return 0
  kept=$(sed -E 's/(^|[[:space:]])"?-(javaagent|agentpath|agentlib):("[^"]*"|[^[:space:]]+)/\1/g' <<<"$wanted")
  HAIKUBE_TOOL_ENV+=("$1=$kept")
  [[ $kept == "$wanted" ]] || detail "The agents of $1 are for dynos; a build leaves them out"
}
