#include "tools/shim/linked_curl.h"

#include "tools/serve/curl_library.h"

namespace wasirun::shim {

void use_linked_curl() {
  serve::CurlLibrary library;
#define WASIRUN_CURL_FUNCTION(name) library.name = &curl_##name;
#include "tools/serve/curl_functions.def"
#undef WASIRUN_CURL_FUNCTION
  serve::use_curl(library);
}

}  // namespace wasirun::shim

// Debian's libcurl.a has all of its protocols, of which libcurl is told to speak but HTTP and HTTPS (outbound_http.cc),
// and which need libraries that are not to be had as archives. Nothing calls these functions but what sets libssh2 up,
// which wants to hear 0.
#define WASIRUN_UNUSED(name) \
  extern "C" long name() { return 0; }
#include "tools/shim/unused_by_curl.def"
#undef WASIRUN_UNUSED
