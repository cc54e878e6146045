# Run as a script: writes OUTPUT from TEMPLATE, with a hash of the FILES, which are listed in the file LIST by their
# paths from ROOT on. What is written depends on their names and contents alone.
file(STRINGS "${LIST}" files)
set(hashes "")
foreach(file IN LISTS files)
  file(SHA256 "${ROOT}/${file}" hash)
  string(APPEND hashes "${hash} ${file}\n")
endforeach()
string(SHA256 hash "${hashes}")
string(SUBSTRING ${hash} 0 16 WASIRUN_SOURCES_HASH)
configure_file("${TEMPLATE}" "${OUTPUT}" @ONLY)
