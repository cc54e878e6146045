// See cgi.h.
#include "tools/serve/cgi.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>

#include "base/printable.h"
#include "tools/serve/route.h"

namespace wasirun::serve {

namespace {

constexpr std::size_t kMostHeaderBytes = std::size_t{64} << 10;
constexpr std::uint16_t kFound = 302;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  const std::size_t begin = text.find_first_not_of(kBlank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlank) - begin + 1);
}

// Empty for a field that is not passed on: credentials and what is about the connection (RFC 3875, 4.1.18), "Proxy",
// which programs take for a setting of their own, and names of which two could become the same variable.
std::string variable_of(std::string_view name) {
  for (const std::string_view withheld : {"authorization", "proxy-authorization", "connection", "proxy",
                                          "content-length", "content-type", "transfer-encoding", "expect"}) {
    if (same_name(name, withheld)) return {};
  }
  std::string variable = "HTTP_";
  for (const char c : name) {
    if (c >= 'a' && c <= 'z') {
      variable += static_cast<char>(c - 'a' + 'A');
    } else if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')) {
      variable += c;
    } else if (c == '-') {
      variable += '_';
    } else {
      return {};
    }
  }
  return variable;
}

// "example.org" of "example.org:80" and "[::1]" of "[::1]:80".
std::string_view host_of(std::string_view authority) {
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.rfind(':');
  if (colon == std::string_view::npos || (bracket != std::string_view::npos && colon < bracket)) return authority;
  return authority.substr(0, colon);
}

std::expected<std::uint16_t, std::string> parse_status(std::string_view value) {
  std::uint16_t status = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), status);
  const bool ends_well = end == value.data() + value.size() || *end == ' ';
  if (error != std::errc() || !ends_well || status < 200 || status > 599) {
    return std::unexpected(
        fmt::format("Status: \"{}\" is no status of a response: expected 200 to 599", wasi::printable(value)));
  }
  return status;
}

}  // namespace

std::string percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high >= 0 && low >= 0) {
        decoded += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    decoded += text[i];
  }
  return decoded;
}

std::vector<std::pair<std::string, std::string>> cgi_variables(const HttpRequest& request, std::string_view route) {
  std::vector<std::pair<std::string, std::string>> variables;
  variables.reserve(24 + request.fields.size());
  const auto set = [&variables](std::string_view name, std::string_view value) { variables.emplace_back(name, value); };
  const std::string_view script = route.ends_with('/') ? route.substr(0, route.size() - 1) : route;
  const std::string_view raw_path = path_below(route, request.path());
  const std::string path = percent_decoded(raw_path);
  const HttpField* const type = find_field(request.fields, "content-type");
  const std::string_view authority = request.authority.empty() ? "localhost" : std::string_view(request.authority);

  set("GATEWAY_INTERFACE", "CGI/1.1");
  set("SERVER_SOFTWARE", "WAGI/1");
  set("SERVER_PROTOCOL", request.minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1");
  set("SERVER_NAME", host_of(authority));
  set("SERVER_PORT", std::to_string(request.local_port));
  set("REQUEST_METHOD", request.method);
  set("SCRIPT_NAME", script);
  set("PATH_INFO", path);
  set("PATH_TRANSLATED", path);
  set("QUERY_STRING", request.query());
  set("REMOTE_ADDR", request.remote_address);
  set("REMOTE_HOST", request.remote_address);
  set("REMOTE_USER", "");
  set("AUTH_TYPE", "");
  set("CONTENT_LENGTH", std::to_string(request.body.size()));
  set("CONTENT_TYPE", type == nullptr ? std::string_view() : std::string_view(type->value));
  set("X_MATCHED_ROUTE", std::string(script).append("/..."));
  set("X_RAW_PATH_INFO", raw_path);
  set("X_FULL_URL", std::string("http://").append(authority).append(request.target));

  const std::size_t first_field = variables.size();
  for (const HttpField& field : request.fields) {
    std::string name = variable_of(field.name);
    if (name.empty()) continue;
    // Fields of one name are one list.
    const auto earlier = std::find_if(variables.begin() + static_cast<std::ptrdiff_t>(first_field), variables.end(),
                                      [&](const auto& variable) { return variable.first == name; });
    if (earlier != variables.end()) {
      earlier->second.append(name == "HTTP_COOKIE" ? "; " : ", ").append(field.value);
    } else {
      variables.emplace_back(std::move(name), field.value);
    }
  }
  return variables;
}

std::vector<std::string> cgi_arguments(const HttpRequest& request) {
  std::vector<std::string> arguments;
  std::string_view query = request.query();
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    arguments.emplace_back(query.substr(0, end));
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  return arguments;
}

std::expected<HttpResponse, std::string> parse_cgi_response(std::string&& output) {
  if (output.empty()) return std::unexpected("the program printed nothing: expected fields, an empty line and a body");
  HttpResponse response;
  bool has_status = false;
  bool has_location = false;
  bool is_told = false;  // by one of the fields of which there has to be one
  std::size_t at = 0;
  for (std::size_t number = 1;; ++number) {
    const std::size_t end = output.find('\n', at);
    if (end == std::string::npos || end > kMostHeaderBytes) {
      return std::unexpected(
          fmt::format("no empty line ends the fields that the program printed ({} bytes in all)", output.size()));
    }
    std::string_view line = std::string_view(output).substr(at, end - at);
    if (line.ends_with('\r')) line.remove_suffix(1);
    at = end + 1;
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) {
      return std::unexpected(
          fmt::format("line {} of what the program printed, \"{}\", is no field: expected NAME: VALUE", number,
                      wasi::printable(line.substr(0, 80))));
    }
    const std::string_view name = trimmed(line.substr(0, colon));
    const std::string_view value = trimmed(line.substr(colon + 1));
    if (same_name(name, "status")) {
      const auto status = parse_status(value);
      if (!status) return std::unexpected(status.error());
      response.status = *status;
      has_status = true;
      is_told = true;
      continue;
    }
    has_location = has_location || same_name(name, "location");
    is_told = is_told || has_location || same_name(name, "content-type");
    response.fields.push_back({std::string(name), std::string(value)});
  }
  if (!is_told) return std::unexpected("the program printed none of the fields Content-Type, Location and Status");
  if (has_location && !has_status) response.status = kFound;
  output.erase(0, at);
  response.body = std::move(output);
  return response;
}

}  // namespace wasirun::serve
