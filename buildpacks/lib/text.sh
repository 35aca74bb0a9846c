# shellcheck shell=bash
# Files as editors and shells of other systems save them: with a byte order mark, in UTF-16, with
# Windows line ends.

# plain_text FILE: its text in UTF-8, lines ended as here.
plain_text() {
  local from=UTF-8
  case $(head -c 2 -- "$1" | od -An -tx1 | tr -d ' \n') in
  fffe) from=UTF-16LE ;;
  feff) from=UTF-16BE ;;
  ??00) from=UTF-16LE ;;
  00??) from=UTF-16BE ;;
  esac
  iconv -c -f "$from" -t UTF-8 -- "$1" | sed '1s/^\xef\xbb\xbf//; s/\r$//'
}
