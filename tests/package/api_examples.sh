#!/bin/sh
# api_examples.sh EXAMPLES PREFIX BUILD_DIR COMPILER: the programs of examples/api, built as a project of their own and
# run; each has to print what is written beside it. Without optimisation, which would take most of the time.
set -eu
examples=$1 prefix=$2 build=$3 compiler=$4

rm -rf "$build"
cmake -S "$examples" -B "$build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$compiler" \
  -DCMAKE_CXX_FLAGS="-O0 -Wall -Wextra -Werror" -DCMAKE_EXE_LINKER_FLAGS=-s -DBUILD_SHARED_LIBS=OFF
cmake --build "$build" --parallel 2
ctest --test-dir "$build" --output-on-failure --no-tests=error --parallel 2
