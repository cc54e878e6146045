#!/bin/sh
# embed_cmake.sh EXAMPLE PREFIX LIBDIR BUILD_DIR COMPILER FLAGS KIND: find_package(wasirun) as a project of its own uses it.
set -eu
example=$1 prefix=$2 build=$4 compiler=$5 flags=$6 kind=$7
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

rm -rf "$build"
# Where both kinds are installed, this chooses.
if [ "$kind" = shared ]; then is_shared=ON; else is_shared=OFF; fi
cmake -S "$example" -B "$build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$compiler" -DCMAKE_CXX_FLAGS="$flags" \
  -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS="$is_shared"
cmake --build "$build"
"$here/links.sh" "$build/embed" "$kind"
"$build/embed" "$example/guest.wat" >"$build/output.txt"
head -n 4 "$build/output.txt" | diff "$here/expected_output.txt" -
"$build/in_memory" "$example/../wordcount/wordcount.wasm" >"$build/in_memory.txt"
diff "$here/expected_in_memory.txt" "$build/in_memory.txt"
