// Requests and responses as plain values, whole: the server reads a request's body, within its limit, before a guest
// sees any of it, and a guest's response is sent when it is complete.
// Source: https://www.rfc-editor.org/rfc/rfc9110
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace wasirun::serve {

struct HttpField {
  std::string name;  // as it was sent
  std::string value;
};

// Letters of ASCII alone.
std::string lower_case(std::string_view text);
// Source: https://www.rfc-editor.org/rfc/rfc9110#name-tokens
bool is_token(std::string_view text);
// Whether a field may have that value: it has no control characters.
bool is_field_value(std::string_view text);
// Whether two names of fields are the same one: case makes no difference.
bool same_name(std::string_view a, std::string_view b);
// The first field of that name, in any case; null when there is none.
const HttpField* find_field(const std::vector<HttpField>& fields, std::string_view name);

struct HttpRequest {
  std::string method = {};     // "GET"
  std::string target = {};     // in origin form, as it was sent: "/a%20b?x=1"
  std::string authority = {};  // of the Host field, or of a target in absolute form: "example.org:8080"
  std::vector<HttpField> fields = {};
  std::string body = {};            // without transfer coding
  std::uint8_t minor_version = 1;   // HTTP/1.x
  std::string remote_address = {};  // "127.0.0.1", "::1"
  std::uint16_t remote_port = 0;
  std::string local_address = {};
  std::uint16_t local_port = 0;

  [[nodiscard]] std::string_view path() const;   // of the target, still percent-encoded
  [[nodiscard]] std::string_view query() const;  // behind the question mark, empty without one
};

struct HttpResponse {
  std::uint16_t status = 200;
  std::vector<HttpField> fields = {};  // without those that are about the connection; Content-Length is the server's
  std::string body = {};
};

}  // namespace wasirun::serve
