// See access_log.h.
#include "tools/serve/access_log.h"

#include <fmt/format.h>

#include <algorithm>
#include <ctime>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/printable.h"

namespace wasirun::serve {

namespace {

using SystemTime = std::chrono::system_clock::time_point;

std::tm utc_of(SystemTime now) {
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  return utc;
}

std::string iso_time(SystemTime now) {
  const std::tm utc = utc_of(now);
  const auto since_epoch = std::chrono::duration_cast<std::chrono::milliseconds>(now.time_since_epoch());
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                     utc.tm_hour, utc.tm_min, utc.tm_sec, since_epoch.count() % 1000);
}

// In quotation marks, which the text cannot end.
void append_quoted(std::string& line, std::string_view text) {
  const auto is_plain = [](char c) { return c >= ' ' && c < 0x7F && c != '"' && c != '\\'; };
  line += '"';
  if (std::ranges::all_of(text, is_plain)) {
    line += text;
  } else {
    std::string escaped;
    for (const char c : text) {
      if (c == '"' || c == '\\') escaped += '\\';
      escaped += c;
    }
    line += wasi::printable(escaped);
  }
  line += '"';
}

void append_field(std::string& line, const HttpRequest& request, std::string_view name) {
  const HttpField* field = find_field(request.fields, name);
  line += ' ';
  append_quoted(line, field == nullptr ? "-" : std::string_view(field->value));
}

std::string ncsa_line(LogFormat format, const Exchange& exchange, const Finish& finish, SystemTime now) {
  static constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const HttpRequest& request = exchange.request;
  const std::tm utc = utc_of(now);
  std::string line;
  fmt::format_to(std::back_inserter(line), "{} - - [{:02}/{}/{:04}:{:02}:{:02}:{:02} +0000] ",
                 request.remote_address.empty() ? "-" : request.remote_address, utc.tm_mday, kMonths[utc.tm_mon],
                 utc.tm_year + 1900, utc.tm_hour, utc.tm_min, utc.tm_sec);
  append_quoted(line, request.method.empty()
                          ? "-"
                          : fmt::format("{} {} HTTP/1.{}", request.method, request.target, request.minor_version));
  fmt::format_to(std::back_inserter(line), " {} {}", finish.status, finish.body_bytes);
  if (format == LogFormat::combined) {
    append_field(line, request, "referer");
    append_field(line, request, "user-agent");
  }
  return line;
}

std::string to_text(const nlohmann::ordered_json& object) {
  return object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string json_line(const Exchange& exchange, const Finish& finish, SystemTime now) {
  const HttpRequest& request = exchange.request;
  nlohmann::ordered_json object = {{"time", iso_time(now)},
                                   {"kind", "request"},
                                   {"remote", request.remote_address},
                                   {"method", request.method},
                                   {"target", request.target},
                                   {"protocol", fmt::format("HTTP/1.{}", request.minor_version)},
                                   {"host", request.authority},
                                   {"status", finish.status},
                                   {"bytes", finish.body_bytes},
                                   {"seconds", std::chrono::duration<double>(finish.took).count()}};
  for (const auto& [key, name] : {std::pair("referer", "referer"), std::pair("user_agent", "user-agent")}) {
    if (const HttpField* field = find_field(request.fields, name)) object[key] = field->value;
  }
  return to_text(object);
}

}  // namespace

std::string access_line(LogFormat format, const Exchange& exchange, const Finish& finish, SystemTime now) {
  return format == LogFormat::json ? json_line(exchange, finish, now) : ncsa_line(format, exchange, finish, now);
}

std::string message_line(LogFormat format, std::string_view kind, std::string_view text, SystemTime now) {
  if (format == LogFormat::json) return to_text({{"time", iso_time(now)}, {"kind", kind}, {"message", text}});
  return fmt::format("{} {}: {}", iso_time(now), kind, wasi::printable(text, "\n\t"));
}

}  // namespace wasirun::serve
