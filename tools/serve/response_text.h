// Responses -> bytes of a connection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tools/serve/http_message.h"

namespace wasirun::serve {

// "Not Found"; "Status" where the number has no phrase of its own.
std::string_view reason_phrase(std::uint16_t status);

// A response of the server's own: the text, in one line.
HttpResponse plain_response(std::uint16_t status, std::string_view text);
// The same with the status's phrase as text.
HttpResponse plain_response(std::uint16_t status);

// What makes a response of a guest's none that can be sent: a status that is none, a field that would be read as
// something else. Empty: it can be.
std::optional<std::string> what_is_wrong(const HttpResponse& response);

// How the response is sent: by its request, and the state of the connection.
struct ResponseFrame {
  std::uint8_t minor_version = 1;
  bool keeps_alive = true;
  bool is_head = false;   // the request was: no body, but the length that it would have
  std::string_view date;  // as the Date field has it
};
// Status line and fields, those about the connection and the length included. Fields of the response's own that say
// such things are left out.
std::string response_head(const HttpResponse& response, const ResponseFrame& frame);
// Whether the body is sent behind it.
bool has_body(const HttpResponse& response, const ResponseFrame& frame);

}  // namespace wasirun::serve
