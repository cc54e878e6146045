#include "tools/serve/allowed_hosts.h"

#include <algorithm>
#include <charconv>

#include "tools/serve/http_message.h"

namespace wasirun::serve {

namespace {

constexpr std::string_view kEverything = "insecure:allow-all";
constexpr std::string_view kSelf = "self";

std::uint16_t port_of(std::string_view scheme) { return scheme == "https" ? 443 : 80; }

bool is_host(std::string_view host) {
  if (host.starts_with('[')) {
    return host.size() > 2 && host.ends_with(']') && std::ranges::all_of(host.substr(1, host.size() - 2), [](char c) {
             return std::string_view("0123456789abcdefABCDEF:.").contains(c);
           });
  }
  return !host.empty() && std::ranges::all_of(host, [](char c) {
    return static_cast<unsigned char>(c) > ' ' && c != 0x7F && !std::string_view("/\\?#@:[]*%<>^|\"`{}").contains(c);
  });
}

}  // namespace

std::expected<void, std::string> AllowedHosts::add(std::string_view entry) {
  if (entry == kEverything) {
    everything_ = true;
    return {};
  }
  if (entry == kSelf) {
    self_ = true;
    return {};
  }
  std::string_view scheme = "http";
  std::string_view rest = entry;
  if (const std::size_t mark = entry.find("://"); mark != std::string_view::npos) {
    scheme = entry.substr(0, mark);
    if (scheme != "http" && scheme != "https") return std::unexpected("its scheme is neither http nor https");
    rest = entry.substr(mark + 3);
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (rest.contains('/')) return std::unexpected("it has a path, where a host, or host:port, is expected");

  std::optional<std::uint16_t> port;
  const std::size_t colon = rest.starts_with('[') ? rest.find(':', rest.find(']')) : rest.find(':');
  if (colon != std::string_view::npos) {
    const std::string_view digits = rest.substr(colon + 1);
    std::uint16_t number = 0;
    const auto [end, error] = std::from_chars(digits.begin(), digits.end(), number);
    if (error != std::errc() || end != digits.end()) return std::unexpected("its port is not a number up to 65535");
    if (number != port_of(scheme)) port = number;
    rest = rest.substr(0, colon);
  }
  if (!is_host(rest)) return std::unexpected("a host, or host:port, is expected");
  hosts_.push_back({lower_case(rest), port});
  return {};
}

bool AllowedHosts::allows(std::string_view scheme, std::string_view host, std::uint16_t port) const {
  if (scheme != "http" && scheme != "https") return false;
  if (everything_) return true;
  const std::string name = lower_case(host);
  return std::ranges::any_of(hosts_, [&](const Host& allowed) {
    return allowed.name == name && allowed.port.value_or(port_of(scheme)) == port;
  });
}

}  // namespace wasirun::serve
