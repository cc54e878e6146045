// The hosts that a component may send requests to: allowed_http_hosts of spin.toml.
#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wasirun::serve {

// Without anything in it nothing is allowed.
class AllowedHosts {
 public:
  // An entry: "host", "host:port", either with "http://" or "https://" in front, "[::1]:8080"; "self", for requests to
  // the application itself; "insecure:allow-all". The error says why it is none.
  std::expected<void, std::string> add(std::string_view entry);

  // A host is allowed with the port that its entry has; without one (or with the one of the scheme), with the scheme's.
  [[nodiscard]] bool allows(std::string_view scheme, std::string_view host, std::uint16_t port) const;
  [[nodiscard]] bool allows_self() const { return everything_ || self_; }
  [[nodiscard]] bool empty() const { return !everything_ && !self_ && hosts_.empty(); }

 private:
  struct Host {
    std::string name;                   // in lower case; of an IPv6 address with its brackets
    std::optional<std::uint16_t> port;  // none: the scheme's
  };
  std::vector<Host> hosts_;
  bool everything_ = false;
  bool self_ = false;
};

}  // namespace wasirun::serve
