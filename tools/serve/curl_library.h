// libcurl, for requests that guests send. It is loaded when it is first wanted: with the thirty libraries behind it, it
// would make the start of every other wasirun several times as long.
// Source: https://curl.se/libcurl/c/
#pragma once

#include <curl/curl.h>

#include <expected>
#include <string>

namespace wasirun::serve {

struct CurlLibrary {
#define WASIRUN_CURL_FUNCTION(name) decltype(&curl_##name) name = nullptr;
#include "tools/serve/curl_functions.def"
#undef WASIRUN_CURL_FUNCTION
};

// The library, loaded and ready, for any thread; or why it cannot be had. The same each time.
std::expected<const CurlLibrary*, std::string> curl_library();

}  // namespace wasirun::serve
