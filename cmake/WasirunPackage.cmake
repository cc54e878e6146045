# libwasirun: the folders' libraries as one, with headers, a CMake package and a pkg-config file.
include(CMakePackageConfigHelpers)

set(parts base os wasm binary text validate runtime wasi interp engine)
list(TRANSFORM parts REPLACE "(.+)" "$<TARGET_OBJECTS:wasirun_\\1>" OUTPUT_VARIABLE objects)

add_library(wasirun ${objects})  # static unless BUILD_SHARED_LIBS says otherwise
add_library(wasirun::wasirun ALIAS wasirun)
target_compile_features(wasirun PUBLIC cxx_std_23)
target_include_directories(wasirun PUBLIC
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(wasirun PRIVATE uv Threads::Threads)
# An object file in a target of no sources of its own tells no language.
set_target_properties(wasirun PROPERTIES LINKER_LANGUAGE CXX VERSION ${PROJECT_VERSION}
  SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

install(TARGETS wasirun EXPORT wasirun-targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library
  LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT library)
install(DIRECTORY include/wasi DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT library
  FILES_MATCHING PATTERN "*.h" PATTERN "*.def")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/wasirun)
install(EXPORT wasirun-targets NAMESPACE wasirun:: DESTINATION ${package_dir} COMPONENT library)
configure_package_config_file(cmake/wasirun-config.cmake.in ${PROJECT_BINARY_DIR}/wasirun-config.cmake
  INSTALL_DESTINATION ${package_dir})
# Before 1.0 a minor version may break the API.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/wasirun-config-version.cmake COMPATIBILITY SameMinorVersion)
file(RELATIVE_PATH prefix_from_pc /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(cmake/wasirun.pc.in ${PROJECT_BINARY_DIR}/wasirun.pc.configured @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/wasirun-config.cmake ${PROJECT_BINARY_DIR}/wasirun-config-version.cmake
  DESTINATION ${package_dir} COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/wasirun.pc.configured DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig
  RENAME wasirun.pc COMPONENT library)
