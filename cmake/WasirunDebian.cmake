# Debian packages, by CPack: `cmake --build BUILD --target wasirun_packages` writes them into BUILD/packages.
#
#   wasirun                  the command, its manual and completions
#   libwasirun1              the shared library
#   libwasirun-dev           headers, both kinds of the library, and what finds them
#   wasirun-llvm             the optimising compiler, for the command and the library
#   containerd-shim-wasirun  the shim
find_program(DPKG_SHLIBDEPS dpkg-shlibdeps)
find_program(GZIP gzip)
if(NOT DPKG_SHLIBDEPS OR NOT GZIP OR WASIRUN_SANITIZE)
  return()
endif()

set(WASIRUN_PACKAGE_CONTACT "The wasirun authors <authors@wasirun.invalid>" CACHE STRING "Who maintains the packages")
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME wasirun)
set(CPACK_PACKAGE_CONTACT "${WASIRUN_PACKAGE_CONTACT}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_PACKAGE_DIRECTORY "${PROJECT_BINARY_DIR}/packages")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
# What the compiler of machine code is: 60 MB, in a second.
set(CPACK_DEBIAN_COMPRESSION_TYPE gzip)
set(version "${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE}")
set(documents "${PROJECT_BINARY_DIR}/package/documents")

# The changelogs: the project's, and the packages' with an entry for each release.
file(STRINGS "${PROJECT_SOURCE_DIR}/CHANGELOG.md" releases REGEX "^## [0-9.]+ [(][0-9-]+[)]$")
set(changelog "")
foreach(release IN LISTS releases)
  string(REGEX MATCH "^## ([0-9.]+) [(]([0-9-]+)[)]$" release "${release}")
  set(number ${CMAKE_MATCH_1})
  execute_process(COMMAND date -R -u -d "${CMAKE_MATCH_2}" OUTPUT_VARIABLE date OUTPUT_STRIP_TRAILING_WHITESPACE
                  COMMAND_ERROR_IS_FATAL ANY)
  string(APPEND changelog
    "wasirun (${number}-${CPACK_DEBIAN_PACKAGE_RELEASE}) unstable; urgency=medium\n\n"
    "  * Release ${number}; changelog.gz says what is new.\n\n -- ${WASIRUN_PACKAGE_CONTACT}  ${date}\n\n")
endforeach()
file(CONFIGURE OUTPUT "${documents}/changelog.Debian" CONTENT "${changelog}" @ONLY)
configure_file(CHANGELOG.md "${documents}/changelog" COPYONLY)
configure_file(cmake/copyright.in "${documents}/copyright" @ONLY)
foreach(name changelog changelog.Debian)
  execute_process(COMMAND ${GZIP} -9 -n -k -f "${documents}/${name}" COMMAND_ERROR_IS_FATAL ANY)
endforeach()

# wasirun_debian(component package section summary text): `text` is what the description goes on with.
function(wasirun_debian component package section summary text)
  install(FILES "${documents}/copyright" "${documents}/changelog.gz" "${documents}/changelog.Debian.gz"
    DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
  string(TOUPPER ${component} upper)
  foreach(pair "PACKAGE_NAME ${package}" "PACKAGE_SECTION ${section}" "DESCRIPTION ${summary}\n${text}")
    string(REGEX MATCH "^([A-Z_]+) (.*)$" pair "${pair}")
    set(CPACK_DEBIAN_${upper}_${CMAKE_MATCH_1} "${CMAKE_MATCH_2}" PARENT_SCOPE)
  endforeach()
endfunction()
set(CPACK_COMPONENTS_ALL cli runtime development shim)
wasirun_debian(cli wasirun utils "WebAssembly and WASI runtime"
  "Runs programs compiled for wasm32-wasi in a sandbox that reaches only what\nit was handed, answers HTTP requests by them, and looks into modules.")
set(CPACK_DEBIAN_CLI_PACKAGE_RECOMMENDS "wasirun-llvm (= ${version})")
wasirun_debian(runtime libwasirun${WASIRUN_ABI} libs "WebAssembly and WASI runtime, shared library"
  "The library by which programs written in C++ run WebAssembly modules in a\nsandbox.")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "wasirun-llvm (= ${version})")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${PROJECT_SOURCE_DIR}/cmake/triggers")
wasirun_debian(development libwasirun-dev libdevel "WebAssembly and WASI runtime, development files"
  "Headers, the static and the shared library, and the files by which pkg-config\nand CMake find them.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS
    "libwasirun${WASIRUN_ABI} (= ${version}), libuv1-dev, libasmjit-dev, libstdc++-12-dev | libstdc++-dev")
wasirun_debian(shim containerd-shim-wasirun admin "WebAssembly containers for containerd"
  "The shim by which containerd, and with it Kubernetes, runs WebAssembly\nmodules as containers beside native ones.")
set(CPACK_DEBIAN_SHIM_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_SHIM_PACKAGE_RECOMMENDS "containerd")
set(packaged wasirun_cli wasirun_manual wasirun_shared wasirun_static wasirun wasirun_shim_program)
if(TARGET wasirun_llvm)
  list(APPEND CPACK_COMPONENTS_ALL llvm)
  list(APPEND packaged wasirun_llvm)
  wasirun_debian(llvm wasirun-llvm utils "WebAssembly and WASI runtime, optimising compiler"
    "The compiler of wasirun and libwasirun that makes the fastest code, by way of\nLLVM, which is inside. Without it programs run in the lower tiers.")
  # One build's code calls that build's runtime alone.
  set(CPACK_DEBIAN_LLVM_PACKAGE_DEPENDS "wasirun (= ${version}) | libwasirun${WASIRUN_ABI} (= ${version})")
endif()
include(CPack)

add_custom_target(wasirun_packages
  COMMAND ${CMAKE_COMMAND} -E rm -rf "${CPACK_PACKAGE_DIRECTORY}"
  COMMAND ${CMAKE_CPACK_COMMAND} --config "${PROJECT_BINARY_DIR}/CPackConfig.cmake"
  COMMAND ${CMAKE_COMMAND} -E rm -rf "${CPACK_PACKAGE_DIRECTORY}/_CPack_Packages"
  WORKING_DIRECTORY "${PROJECT_BINARY_DIR}" VERBATIM)
foreach(target IN LISTS packaged)
  if(TARGET ${target})
    add_dependencies(wasirun_packages ${target})
  endif()
endforeach()
