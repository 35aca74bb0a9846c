# shellcheck shell=bash
# JAVA_HOME, PATH and the memory of the JVM. The heap leaves room for threads, code and buffers, as
# on Heroku: small dynos need a smaller part. A size the user sets always wins.
export JAVA_HOME="$HOME/.jdk"
export PATH="$JAVA_HOME/bin:$PATH"
case "${JAVA_TOOL_OPTIONS:-} ${JAVA_OPTS:-}" in
*-Xmx* | *MaxRAMPercentage* | *-XX:MaxHeapSize*) haikube_heap= ;;
*)
  haikube_heap="-XX:MaxRAMPercentage=80.0"
  if [ "${MEMORY_AVAILABLE:-0}" -gt 0 ] && [ "$MEMORY_AVAILABLE" -le 512 ]; then
    haikube_heap="-Xmx$((MEMORY_AVAILABLE * 300 / 512))m -Xss512k -XX:CICompilerCount=2"
  elif [ "${MEMORY_AVAILABLE:-0}" -gt 512 ] && [ "$MEMORY_AVAILABLE" -le 1024 ]; then
    haikube_heap="-Xmx$((MEMORY_AVAILABLE * 671 / 1024))m -XX:CICompilerCount=2"
  fi
  ;;
esac
export JAVA_TOOL_OPTIONS="-Dfile.encoding=UTF-8${haikube_heap:+ $haikube_heap}${JAVA_TOOL_OPTIONS:+ $JAVA_TOOL_OPTIONS}"
unset haikube_heap
# So that a command may say $JAVA_OPTS whether or not the app sets it.
export JAVA_OPTS="${JAVA_OPTS:-}"
