# wasirun_library(name DEPENDS ...): the folder's static library from all of its .cc files.

add_library(wasirun_flags INTERFACE)
target_compile_features(wasirun_flags INTERFACE cxx_std_23)
# The next compiler may warn of what this one does not.
set(werror "")
if(WASIRUN_WERROR)
  set(werror -Werror)
endif()
target_compile_options(wasirun_flags INTERFACE -Wall -Wextra ${werror} -fno-omit-frame-pointer -fvisibility=hidden)
# gcc 12 reports overflows inside of std::string and std::vector that cannot happen (its bug 105651 and the like).
target_compile_options(wasirun_flags INTERFACE
  $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict;-Wno-stringop-overflow;-Wno-stringop-overread;-Wno-array-bounds>)
if(WASIRUN_SANITIZE)
  target_compile_options(wasirun_flags INTERFACE -fsanitize=${WASIRUN_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(wasirun_flags INTERFACE -fsanitize=${WASIRUN_SANITIZE})
endif()
target_include_directories(wasirun_flags INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}> $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/lib>
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>)

set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_EXTENSIONS ON)

# wasirun_precompile(target first headers...): the target's precompiled headers, which are made for the target `first`.
# Compiler options are part of them, so that `first` has to be a target of the same kind.
function(wasirun_precompile target first)
  # Times of files would keep what is made from them out of compiler caches.
  target_compile_options(${target} PRIVATE "$<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>")
  if(target STREQUAL first)
    target_precompile_headers(${target} PRIVATE ${ARGN})
  else()
    target_precompile_headers(${target} REUSE_FROM ${first})
  endif()
endfunction()
set(WASIRUN_COMMON_HEADERS <algorithm> <array> <atomic> <bit> <cstdint> <cstring> <expected> <functional> <memory>
    <mutex> <optional> <ranges> <span> <string> <string_view> <unordered_map> <utility> <variant> <vector>)

# ALONE: files that cannot be compiled as one with others, since they have names of their own in common. Which of the
# rest come together depends on how many there are.
function(wasirun_library name)
  cmake_parse_arguments(arg "" "" "DEPENDS;PRIVATE_DEPENDS;ALONE" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS "*.cc")
  add_library(wasirun_${name} STATIC ${sources})
  target_link_libraries(wasirun_${name} PUBLIC wasirun_flags ${arg_DEPENDS} PRIVATE ${arg_PRIVATE_DEPENDS})
  if(WASIRUN_FAST_BUILD)
    wasirun_precompile(wasirun_${name} wasirun_base ${WASIRUN_COMMON_HEADERS} <fmt/format.h>)
    set_target_properties(wasirun_${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
    # gcc says so of whatever is in an anonymous namespace of an included file.
    target_compile_options(wasirun_${name} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
    set_source_files_properties(${arg_ALONE} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endif()
endfunction()
