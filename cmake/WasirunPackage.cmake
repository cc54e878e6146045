# libwasirun: the folders' libraries as one, with headers, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

# The number in the shared library's name and in its symbols' version: raised by a release that programs have to be built
# anew for, whatever the project's version is then (docs/rationale.md).
set(WASIRUN_ABI 1)

set(parts base os wasm binary text validate runtime wasi interp jit_common jit_baseline jit_plan engine c_api)
set(wasirun_others uv asmjit)
list(TRANSFORM parts REPLACE "(.+)" "$<TARGET_OBJECTS:wasirun_\\1>" OUTPUT_VARIABLE wasirun_objects)
# Before 1.0 a minor version may break the API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/wasirun-config-version.cmake COMPATIBILITY SameMinorVersion)
set(wasirun_exports "${PROJECT_BINARY_DIR}/wasirun.map")
configure_file(cmake/wasirun.map.in "${wasirun_exports}" @ONLY)

# wasirun_whole_library(target SHARED|STATIC)
function(wasirun_whole_library target kind)
  add_library(${target} ${kind} ${wasirun_objects})
  target_compile_features(${target} PUBLIC cxx_std_23)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PRIVATE ${wasirun_others} Threads::Threads)
  string(TOLOWER ${kind} kind)
  # An object file in a target of no sources of its own tells no language.
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME wasirun EXPORT_NAME ${kind}
    WASIRUN_KIND ${kind} VERSION ${WASIRUN_ABI}.${PROJECT_VERSION} SOVERSION ${WASIRUN_ABI})
  if(kind STREQUAL "shared")
    target_link_options(${target} PRIVATE "LINKER:--version-script=${wasirun_exports}")
    set_target_properties(${target} PROPERTIES LINK_DEPENDS "${wasirun_exports}")
    if(WASIRUN_SANITIZE)
      target_link_options(${target} PRIVATE -fsanitize=${WASIRUN_SANITIZE})
    else()
      target_link_options(${target} PRIVATE "LINKER:--no-undefined")
    endif()
  endif()
endfunction()

# wasirun_install_library(target libdir component EXPORT set [RUNTIME component] [EXCLUDE_FROM_ALL]): the library and the
# file that defines wasirun::shared or wasirun::static. RUNTIME: the component of what programs need that run.
function(wasirun_install_library target libdir component)
  cmake_parse_arguments(arg "EXCLUDE_FROM_ALL" "RUNTIME;EXPORT" "" ${ARGN})
  if(arg_EXCLUDE_FROM_ALL)
    set(excluded EXCLUDE_FROM_ALL)
  endif()
  if(NOT arg_RUNTIME)
    set(arg_RUNTIME ${component})
  endif()
  get_target_property(kind ${target} WASIRUN_KIND)
  install(TARGETS ${target} EXPORT ${arg_EXPORT}
    ARCHIVE DESTINATION ${libdir} COMPONENT ${component} ${excluded}
    LIBRARY DESTINATION ${libdir} COMPONENT ${arg_RUNTIME} NAMELINK_COMPONENT ${component} ${excluded})
  install(EXPORT ${arg_EXPORT} NAMESPACE wasirun:: DESTINATION ${libdir}/cmake/wasirun FILE wasirun-${kind}-targets.cmake
    COMPONENT ${component} ${excluded})
endfunction()

# wasirun_install_headers(kind libdir component [EXCLUDE_FROM_ALL]): what finds the library, and the headers. `kind`:
# what pkg-config says without --static.
function(wasirun_install_headers kind libdir component)
  install(DIRECTORY include/wasi DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${component} ${ARGN}
    FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
  install(FILES include/wasm.h include/wasi.h include/wasirun.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    COMPONENT ${component} ${ARGN})
  file(RELATIVE_PATH prefix_from_pc /prefix/${libdir}/pkgconfig /prefix)
  list(TRANSFORM wasirun_others PREPEND "-l" OUTPUT_VARIABLE others)
  list(JOIN others " " others)
  # The last two for programs in C.
  string(APPEND others " -pthread -lstdc++ -lm")
  if(kind STREQUAL "shared")
    set(libs_private "${others}")
  else()
    # For programs in C.
    set(libs " ${others} -lstdc++ -lm")
  endif()
  set(folder "${PROJECT_BINARY_DIR}/package/${component}")
  configure_package_config_file(cmake/wasirun-config.cmake.in "${folder}/wasirun-config.cmake"
    INSTALL_DESTINATION ${libdir}/cmake/wasirun)
  configure_file(cmake/wasirun.pc.in "${folder}/wasirun.pc.configured" @ONLY)
  install(FILES "${folder}/wasirun-config.cmake" ${PROJECT_BINARY_DIR}/wasirun-config-version.cmake
    DESTINATION ${libdir}/cmake/wasirun COMPONENT ${component} ${ARGN})
  install(FILES "${folder}/wasirun.pc.configured" DESTINATION ${libdir}/pkgconfig RENAME wasirun.pc
    COMPONENT ${component} ${ARGN})
endfunction()

# `wasirun` is the kind that was asked for; the other one, of the same objects, is made where somebody asks for it by name.
if(BUILD_SHARED_LIBS)
  set(kind shared)
  wasirun_whole_library(wasirun SHARED)
  wasirun_whole_library(wasirun_static STATIC)
  set(other wasirun_static)
  set(shared wasirun)
  set(static wasirun_static)
else()
  set(kind static)
  wasirun_whole_library(wasirun STATIC)
  wasirun_whole_library(wasirun_shared SHARED)
  set(other wasirun_shared)
  set(shared wasirun_shared)
  set(static wasirun)
endif()
add_library(wasirun::wasirun ALIAS wasirun)
wasirun_install_library(wasirun ${CMAKE_INSTALL_LIBDIR} library EXPORT wasirun-targets)
wasirun_install_headers(${kind} ${CMAKE_INSTALL_LIBDIR} library)
# The tests look at both kinds.
if(NOT WASIRUN_TESTS)
  set_target_properties(${other} PROPERTIES EXCLUDE_FROM_ALL ON)
endif()
get_target_property(other_kind ${other} WASIRUN_KIND)
wasirun_install_library(${other} ${CMAKE_INSTALL_LIBDIR} ${other_kind}_library EXPORT wasirun-other-targets EXCLUDE_FROM_ALL)
wasirun_install_headers(${other_kind} ${CMAKE_INSTALL_LIBDIR} ${other_kind}_library EXCLUDE_FROM_ALL)

# Packages have both.
set(libdir ${CMAKE_INSTALL_LIBDIR})
if(CMAKE_LIBRARY_ARCHITECTURE)
  set(libdir lib/${CMAKE_LIBRARY_ARCHITECTURE})
endif()
wasirun_install_library(${shared} ${libdir} development EXPORT wasirun-package-shared-targets RUNTIME runtime EXCLUDE_FROM_ALL)
wasirun_install_library(${static} ${libdir} development EXPORT wasirun-package-static-targets EXCLUDE_FROM_ALL)
wasirun_install_headers(shared ${libdir} development EXCLUDE_FROM_ALL)

# All that `cmake --install` copies, for who builds no tests.
add_custom_target(wasirun_installed DEPENDS wasirun)
foreach(target wasirun_cli wasirun_shim_program wasirun_llvm wasirun_manual)
  if(TARGET ${target})
    add_dependencies(wasirun_installed ${target})
  endif()
endforeach()
