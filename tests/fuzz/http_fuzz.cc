// libFuzzer target: any bytes as what a client sends, whole and byte by byte, which have to mean the same; and as what
// a program of CGI prints.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tools/serve/cgi.h"
#include "tools/serve/request_parser.h"

namespace {

using wasirun::serve::RequestParser;

std::vector<std::string> read(std::string_view text, std::size_t piece) {
  RequestParser parser({.header_bytes = 4096, .body_bytes = 1000});
  std::vector<std::string> requests;
  std::string pending;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    pending += text.substr(at, piece);
    for (;;) {
      const auto [progress, consumed] = parser.put(pending);
      pending.erase(0, consumed);
      if (progress == RequestParser::Progress::refused) return requests;
      if (progress == RequestParser::Progress::need_more) break;
      const auto& request = parser.request();
      requests.push_back(request.target + '\n' + std::to_string(request.fields.size()) + '\n' + request.body);
      (void)wasirun::serve::cgi_variables(request, "/a");
      (void)wasirun::serve::cgi_arguments(request);
      parser.reset();
    }
  }
  return requests;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (read(text, size + 1) != read(text, 1)) std::abort();
  (void)wasirun::serve::parse_cgi_response(std::string(text));
  return 0;
}
