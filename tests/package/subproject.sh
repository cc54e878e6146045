#!/bin/sh
# subproject.sh WASIRUN BUILD_DIR COMPILER: add_subdirectory(wasirun), as FetchContent does it, in a project that has none of
# what the command needs, and its own mind about warnings.
set -eu
wasirun=$1 build=$2 compiler=$3

rm -rf "$build"
mkdir -p "$build/project"
cat >"$build/project/CMakeLists.txt" <<'PROJECT'
cmake_minimum_required(VERSION 3.25)
project(other LANGUAGES CXX)
foreach(package CLI11 nlohmann_json tomlplusplus Catch2 benchmark Protobuf)
  set(CMAKE_DISABLE_FIND_PACKAGE_${package} ON)
endforeach()
add_subdirectory("${WASIRUN}" wasirun EXCLUDE_FROM_ALL)
file(WRITE main.cc "#include <wasi/engine.h>\nint main() { return wasi::version() == nullptr; }\n")
add_executable(other main.cc)
target_link_libraries(other PRIVATE wasirun::wasirun)
PROJECT
cmake -S "$build/project" -B "$build/build" -DWASIRUN="$wasirun" -DCMAKE_CXX_COMPILER="$compiler" -DWASIRUN_LLVM=OFF \
  -DCMAKE_EXPORT_COMPILE_COMMANDS=ON >"$build/log" 2>&1 || { cat "$build/log"; exit 1; }
commands=$build/build/compile_commands.json
if grep -q -e -Werror "$commands"; then echo "warnings are errors in somebody else's project"; exit 1; fi
if grep -q -e "$wasirun/tools/" -e "$wasirun/tests/" "$commands"; then echo "more than the library is built"; exit 1; fi
grep -q "$wasirun/lib/engine/engine.cc" "$commands" || { echo "the library is not built"; exit 1; }
