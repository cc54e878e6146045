// See response_text.h.
#include "tools/serve/response_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace wasirun::serve {

namespace {

struct Phrase {
  std::uint16_t status;
  std::string_view text;
};
// Source: https://www.iana.org/assignments/http-status-codes
constexpr Phrase kPhrases[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {203, "Non-Authoritative Information"},
    {204, "No Content"},
    {205, "Reset Content"},
    {206, "Partial Content"},
    {207, "Multi-Status"},
    {208, "Already Reported"},
    {226, "IM Used"},
    {300, "Multiple Choices"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {402, "Payment Required"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {407, "Proxy Authentication Required"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {422, "Unprocessable Content"},
    {423, "Locked"},
    {424, "Failed Dependency"},
    {425, "Too Early"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {451, "Unavailable For Legal Reasons"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {506, "Variant Also Negotiates"},
    {507, "Insufficient Storage"},
    {508, "Loop Detected"},
    {511, "Network Authentication Required"},
};
static_assert(std::ranges::is_sorted(kPhrases, {}, &Phrase::status));

constexpr std::uint16_t kNoContent = 204;
constexpr std::uint16_t kNotModified = 304;

// Fields that are this connection's matter, which a guest knows nothing about.
bool is_of_connection(std::string_view name) {
  constexpr std::string_view kNames[] = {"connection", "content-length", "keep-alive",        "proxy-connection",
                                         "te",         "trailer",        "transfer-encoding", "upgrade"};
  return std::ranges::any_of(kNames, [&](std::string_view own) { return same_name(own, name); });
}

bool is_bodiless(std::uint16_t status) { return status == kNoContent || status == kNotModified; }

}  // namespace

std::string_view reason_phrase(std::uint16_t status) {
  const auto* const found = std::ranges::lower_bound(kPhrases, status, {}, &Phrase::status);
  return found != std::end(kPhrases) && found->status == status ? found->text : "Status";
}

HttpResponse plain_response(std::uint16_t status, std::string_view text) {
  return {.status = status,
          .fields = {{"Content-Type", "text/plain; charset=utf-8"}},
          .body = std::string(text).append("\n")};
}

HttpResponse plain_response(std::uint16_t status) { return plain_response(status, reason_phrase(status)); }

std::optional<std::string> what_is_wrong(const HttpResponse& response) {
  if (response.status < 200 || response.status > 599) {
    return fmt::format("{} is no status of a response: expected 200 to 599", response.status);
  }
  for (const HttpField& field : response.fields) {
    if (!is_token(field.name)) return fmt::format("\"{}\" is no name of a field", field.name);
    if (!is_field_value(field.value)) {
      return fmt::format("the value of the field {} has control characters", field.name);
    }
  }
  return std::nullopt;
}

std::string response_head(const HttpResponse& response, const ResponseFrame& frame) {
  std::string head;
  head.reserve(256);
  const auto add = [&head](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  fmt::format_to(std::back_inserter(head), "HTTP/1.1 {} {}\r\n", response.status, reason_phrase(response.status));
  for (const HttpField& field : response.fields) {
    if (!is_of_connection(field.name)) add(field.name, field.value);
  }
  if (find_field(response.fields, "date") == nullptr) add("Date", frame.date);
  if (!is_bodiless(response.status)) {
    // What a guest says about a body that it leaves out itself.
    const HttpField* length = find_field(response.fields, "content-length");
    if (frame.is_head && response.body.empty() && length != nullptr && !length->value.empty() &&
        length->value.find_first_not_of("0123456789") == std::string::npos) {
      add("Content-Length", length->value);
    } else {
      fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", response.body.size());
    }
  }
  // What is usual in a version need not be said.
  if (!frame.keeps_alive) {
    add("Connection", "close");
  } else if (frame.minor_version == 0) {
    add("Connection", "keep-alive");
  }
  head.append("\r\n");
  return head;
}

bool has_body(const HttpResponse& response, const ResponseFrame& frame) {
  return !frame.is_head && !is_bodiless(response.status) && !response.body.empty();
}

}  // namespace wasirun::serve
