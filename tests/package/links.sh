#!/bin/sh
# links.sh PROGRAM KIND: whether the program needs libwasirun when it starts, as it does for the kind `shared` alone.
set -eu
needed=$(readelf -d -W "$1" | grep NEEDED | grep -c 'libwasirun\.so\.[0-9]*]' || true)
case "$2" in
  shared) [ "$needed" = 1 ] ;;
  static) [ "$needed" = 0 ] ;;
esac || { echo "links.sh: $1 needs $needed libraries called libwasirun, and was built against a $2 one" >&2; exit 1; }
