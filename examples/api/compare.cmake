# cmake -DPROGRAM=... -DEXPECTED=... -P compare.cmake: that a program succeeds and prints what the file says.
execute_process(COMMAND "${PROGRAM}" OUTPUT_VARIABLE printed RESULT_VARIABLE status TIMEOUT 50)
file(READ "${EXPECTED}" expected)
if(NOT status STREQUAL "0" OR NOT printed STREQUAL expected)
  message(NOTICE "expected:\n${expected}\nprinted:\n${printed}")
  message(FATAL_ERROR "${PROGRAM} ended with ${status}, or printed something else than ${EXPECTED}")
endif()
