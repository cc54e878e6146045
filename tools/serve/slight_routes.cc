#include "tools/serve/slight_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/byte_reader.h"

namespace wasirun::serve {

namespace {

// Of a hexadecimal digit; 16 for other characters.
unsigned digit_of(char c) {
  if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<unsigned>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<unsigned>(c - 'A' + 10);
  return 16;
}

}  // namespace

std::expected<SlightPattern, std::string> SlightPattern::parse(std::string_view route) {
  SlightPattern pattern;
  if (!route.starts_with('/')) return std::unexpected("it is to begin with a slash");
  std::string* text = &pattern.text_before_;
  for (std::size_t i = 0; i < route.size();) {
    std::size_t end = i + 1;
    std::string_view name;
    if (route[i] == '*') {
      name = route.substr(i, 1);
    } else if (route[i] == ':') {
      end = std::min(route.find_first_of("/.", i), route.size());
      name = route.substr(i + 1, end - i - 1);
    }
    if (name.empty()) {
      text->push_back(route[i]);
    } else if (pattern.names_.size() == kMostNames) {
      return std::unexpected(fmt::format("it has more than {} names", kMostNames));
    } else {
      pattern.names_.push_back({.name = std::string(name), .text_behind = {}});
      text = &pattern.names_.back().text_behind;
    }
    i = end;
  }
  if (!text->ends_with('/')) text->push_back('/');
  return pattern;
}

std::optional<std::vector<HttpField>> SlightPattern::match(std::string_view path) const {
  const std::string slashed = path.ends_with('/') ? std::string(path) : std::string(path) + "/";
  if (!slashed.starts_with(text_before_)) return std::nullopt;
  if (names_.empty())
    return slashed == text_before_ ? std::optional<std::vector<HttpField>>(std::in_place) : std::nullopt;

  // From the last name to the first: fits[i] says whether the names from here on can stand for slashed[i..], and how
  // long the first of them is then at most.
  constexpr std::size_t kNever = std::string::npos;
  const std::size_t size = slashed.size();
  std::vector<std::vector<std::size_t>> longest(names_.size() + 1, std::vector<std::size_t>(size + 1, kNever));
  longest[names_.size()][size] = 0;
  for (std::size_t n = names_.size(); n-- > 0;) {
    const Name& name = names_[n];
    const bool is_star = name.name == "*";
    // The end that a name which begins here can have at most, among those behind which the rest fits.
    std::size_t end = kNever;
    for (std::size_t begin = size + 1; begin-- > 0;) {
      const std::string_view behind = std::string_view(slashed).substr(begin);
      const bool ends_here =
          behind.starts_with(name.text_behind) && longest[n + 1][begin + name.text_behind.size()] != kNever;
      if (begin < size && slashed[begin] == '/' && !is_star) end = kNever;
      if (end == kNever && ends_here) end = begin;
      if (end != kNever && (is_star || end > begin)) longest[n][begin] = end - begin;
    }
  }
  std::vector<HttpField> found;
  std::size_t at = text_before_.size();
  for (std::size_t n = 0; n < names_.size(); ++n) {
    const std::size_t length = longest[n][at];
    if (length == kNever) return std::nullopt;
    found.push_back({names_[n].name, slashed.substr(at, length)});
    at += length + names_[n].text_behind.size();
  }
  return found;
}

std::expected<std::string, std::string> decode_path(std::string_view path) {
  std::string decoded;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '%' && i + 2 < path.size() && digit_of(path[i + 1]) < 16 && digit_of(path[i + 2]) < 16) {
      decoded.push_back(static_cast<char>(digit_of(path[i + 1]) << 4 | digit_of(path[i + 2])));
      i += 2;
    } else {
      decoded.push_back(path[i]);
    }
  }
  if (!wasi::base::is_utf8(decoded)) return std::unexpected("the path is not UTF-8");
  return decoded;
}

}  // namespace wasirun::serve
