// Routes of slight: a path with names in it ("/person/:name"), each for a part without slashes, or "*", for anything.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tools/serve/http_message.h"

namespace wasirun::serve {

class SlightPattern {
 public:
  // At most so many names and stars, so that matching takes no time to speak of.
  static constexpr std::size_t kMostNames = 32;
  static std::expected<SlightPattern, std::string> parse(std::string_view route);

  // What the names stand for in a path, which has its percents decoded; empty where it does not match. A slash at the
  // end of either makes no difference. A star's name is "*".
  [[nodiscard]] std::optional<std::vector<HttpField>> match(std::string_view path) const;

 private:
  // A name, or a star, between two pieces of text.
  struct Name {
    std::string name;
    std::string text_behind;
  };
  std::string text_before_;
  std::vector<Name> names_;
};

struct SlightRoute {
  std::string method;  // "GET"
  SlightPattern pattern;
  std::string handler;  // an export
};

// Decodes percents; the error says why the text is none of a path.
std::expected<std::string, std::string> decode_path(std::string_view path);

}  // namespace wasirun::serve
