// Which component of a Spin application answers for a path.
//
// A route is a path, or a prefix when it ends in "/..."; the application's base stands in front of it. A slash at the
// end makes no difference. An exact route goes before prefixes, a longer prefix before a shorter one, and of two that
// are the same the later one counts.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wasirun::serve {

class SpinRoute {
 public:
  SpinRoute(std::string_view base, std::string_view route);

  [[nodiscard]] bool matches(std::string_view path) const;
  [[nodiscard]] bool is_prefix() const { return is_prefix_; }
  // Without "/...".
  [[nodiscard]] const std::string& path() const { return path_; }
  // What of a path is behind the route: "" or "/rest".
  [[nodiscard]] std::string_view rest(std::string_view path) const;
  // Base and route, as they are told to guests: "/app/hello/...".
  [[nodiscard]] std::string pattern() const { return is_prefix_ ? path_ + "/..." : path_; }

 private:
  std::string path_;
  bool is_prefix_ = false;
};

// The index of the route that answers for a path.
std::optional<std::size_t> find_route(const std::vector<SpinRoute>& routes, std::string_view path);

}  // namespace wasirun::serve
