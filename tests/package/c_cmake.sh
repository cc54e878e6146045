#!/bin/sh
# c_cmake.sh EXAMPLE PREFIX LIBDIR BUILD_DIR COMPILER CXX_COMPILER FLAGS KIND: the same in C with find_package(wasirun).
set -eu
example=$1 prefix=$2 build=$4 compiler=$5 cxx_compiler=$6 flags=$7 kind=$8
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

rm -rf "$build"
# Where both kinds are installed, this chooses.
if [ "$kind" = shared ]; then is_shared=ON; else is_shared=OFF; fi
cmake -S "$example" -B "$build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$compiler" -DCMAKE_C_FLAGS="$flags" \
  -DCMAKE_CXX_COMPILER="$cxx_compiler" -DCMAKE_CXX_FLAGS="$flags" -DCMAKE_BUILD_TYPE=Release \
  -DBUILD_SHARED_LIBS="$is_shared"
cmake --build "$build"
"$here/links.sh" "$build/embed_in_c" "$kind"
"$build/embed_in_c" "$example/guest.wat" | diff "$here/expected_c.txt" -
