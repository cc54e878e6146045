#!/bin/sh
# c_pkg-config.sh EXAMPLE PREFIX LIBDIR BUILD_DIR COMPILER CXX_COMPILER FLAGS KIND: one call of a C compiler with what
# pkg-config says.
set -eu
example=$1 prefix=$2 libdir=$3 build=$4 compiler=$5 flags=$7 kind=$8
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

command -v pkg-config >/dev/null || { echo "SKIPPED: pkg-config is not installed"; exit 77; }
export PKG_CONFIG_PATH="$prefix/$libdir/pkgconfig"
rm -rf "$build"
mkdir -p "$build"
if [ "$kind" = shared ]; then
  libraries=$(pkg-config --cflags --libs wasirun)
else
  # Where both kinds are installed, the name of the file chooses.
  libraries=$(pkg-config --static --cflags --libs wasirun | sed 's/-lwasirun/-l:libwasirun.a/')
fi
# A sanitized library needs the sanitizers' parts for C++, too.
# shellcheck disable=SC2086  # both are lists of words
"$compiler" -std=c99 -O2 $flags "$example/main.c" -o "$build/embed_in_c" $libraries \
  ${flags:+-fsanitize-link-c++-runtime -lstdc++}
"$here/links.sh" "$build/embed_in_c" "$kind"
if [ "$kind" = shared ]; then export LD_LIBRARY_PATH="$prefix/$libdir"; fi
"$build/embed_in_c" "$example/guest.wat" | diff "$here/expected_c.txt" -
