// A line for each request, in the forms that readers of logs know.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "tools/serve/exchange.h"

namespace wasirun::serve {

enum class LogFormat : std::uint8_t {
  common,    // NCSA: 127.0.0.1 - - [30/Nov/2026:11:37:06 +0000] "GET / HTTP/1.1" 200 6
  combined,  // and "referer" "user agent"
  json,      // an object for each line
};

// In UTC. What a client chose is escaped, so that it is what the line says it is.
std::string access_line(LogFormat format, const Exchange& exchange, const Finish& finish,
                        std::chrono::system_clock::time_point now);

// What is no request: `kind` is "guest" for what a guest writes to its standard error, else what wasirun has to say.
std::string message_line(LogFormat format, std::string_view kind, std::string_view text,
                         std::chrono::system_clock::time_point now);

}  // namespace wasirun::serve
