// The entry point of every test binary.
//
// Catch would take SIGSEGV for itself around each test case and put the old handler back behind it, which
// takes away the runtime's, installed by the first test that needs it.
#define CATCH_CONFIG_NO_POSIX_SIGNALS
#define CATCH_CONFIG_MAIN
#include <catch2/catch.hpp>
