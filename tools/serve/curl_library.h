// libcurl, for requests that guests send. It is loaded when it is first wanted: with the thirty libraries behind it, it
// would make the start of every other wasirun several times as long. Programs that can load no libraries have it linked
// in and hand it over. Source: https://curl.se/libcurl/c/
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

// Before the library is first wanted, and once: one that is part of the program.
void use_curl(const CurlLibrary& linked);
// The same: certificates of the authorities that are trusted, as PEM, where the files of the host are not to be read.
void use_certificates(std::string certificates);
// Empty: libcurl's own choice.
const std::string& curl_certificates();

// The library, loaded and ready, for any thread; or why it cannot be had. The same each time.
std::expected<const CurlLibrary*, std::string> curl_library();

}  // namespace wasirun::serve
