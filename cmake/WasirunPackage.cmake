# libwasirun: the folders' libraries as one, with headers, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

set(parts base os wasm binary text validate runtime wasi interp jit_common jit_baseline jit_plan engine c_api)
set(wasirun_others uv asmjit)
list(TRANSFORM parts REPLACE "(.+)" "$<TARGET_OBJECTS:wasirun_\\1>" OUTPUT_VARIABLE wasirun_objects)
set(wasirun_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/wasirun)
file(RELATIVE_PATH prefix_from_pc /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
# Before 1.0 a minor version may break the API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/wasirun-config-version.cmake COMPATIBILITY SameMinorVersion)

# wasirun_package(target SHARED|STATIC component [EXCLUDE_FROM_ALL]): the library and what finds it, which
# `cmake --install --component` installs.
function(wasirun_package target kind component)
  add_library(${target} ${kind} ${wasirun_objects})
  target_compile_features(${target} PUBLIC cxx_std_23)
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(${target} PRIVATE ${wasirun_others} Threads::Threads)
  # An object file in a target of no sources of its own tells no language.
  set_target_properties(${target} PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME wasirun EXPORT_NAME wasirun
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  list(TRANSFORM wasirun_others PREPEND "-l" OUTPUT_VARIABLE others)
  list(JOIN others " " others)
  string(APPEND others " -pthread")
  if(kind STREQUAL SHARED)
    set(libs_private "${others}")
    set(exports "${PROJECT_SOURCE_DIR}/cmake/wasirun.map")
    target_link_options(${target} PRIVATE "LINKER:--version-script=${exports}")
    set_target_properties(${target} PROPERTIES LINK_DEPENDS "${exports}")
    if(WASIRUN_SANITIZE)
      target_link_options(${target} PRIVATE -fsanitize=${WASIRUN_SANITIZE})
    else()
      target_link_options(${target} PRIVATE "LINKER:--no-undefined")
    endif()
  else()
    # For programs in C.
    set(libs " ${others} -lstdc++ -lm")
  endif()

  install(TARGETS ${target} EXPORT ${target}-targets
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component} ${ARGN}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${component} ${ARGN})
  install(DIRECTORY include/wasi DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT ${component} ${ARGN}
    FILES_MATCHING PATTERN "*.h" PATTERN "*.def")
  install(FILES include/wasm.h include/wasi.h include/wasirun.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    COMPONENT ${component} ${ARGN})
  install(EXPORT ${target}-targets NAMESPACE wasirun:: DESTINATION ${wasirun_package_dir}
    COMPONENT ${component} ${ARGN})
  set(folder "${PROJECT_BINARY_DIR}/package/${target}")
  configure_package_config_file(cmake/wasirun-config.cmake.in "${folder}/wasirun-config.cmake"
    INSTALL_DESTINATION ${wasirun_package_dir})
  configure_file(cmake/wasirun.pc.in "${folder}/wasirun.pc.configured" @ONLY)
  install(FILES "${folder}/wasirun-config.cmake" ${PROJECT_BINARY_DIR}/wasirun-config-version.cmake
    DESTINATION ${wasirun_package_dir} COMPONENT ${component} ${ARGN})
  install(FILES "${folder}/wasirun.pc.configured" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
    RENAME wasirun.pc COMPONENT ${component} ${ARGN})
endfunction()

if(BUILD_SHARED_LIBS)
  wasirun_package(wasirun SHARED library)
else()
  wasirun_package(wasirun STATIC library)
endif()
add_library(wasirun::wasirun ALIAS wasirun)
# All that `cmake --install` copies, for who builds no tests.
add_custom_target(wasirun_installed DEPENDS wasirun wasirun_cli wasirun_shim_program)
foreach(target wasirun_llvm wasirun_manual)
  if(TARGET ${target})
    add_dependencies(wasirun_installed ${target})
  endif()
endforeach()
# The tests look at both kinds, which are the same objects.
if(WASIRUN_TESTS)
  if(BUILD_SHARED_LIBS)
    wasirun_package(wasirun_static STATIC static_library EXCLUDE_FROM_ALL)
  else()
    wasirun_package(wasirun_shared SHARED shared_library EXCLUDE_FROM_ALL)
  endif()
endif()
