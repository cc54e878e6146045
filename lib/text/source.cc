#include "text/source.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/printable.h"

namespace wasi::text {
namespace {

// What is shown of a line on either side of the place: lines of megabytes exist.
constexpr std::size_t kWindow = 60;

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, [](char c) { return !is_continuation(c); }));
}

// At most `limit` bytes of the start or of the end, cut between characters.
std::string_view head(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  while (limit > 0 && is_continuation(text[limit])) --limit;
  return text.substr(0, limit);
}
std::string_view tail(std::string_view text, std::size_t limit) {
  if (text.size() <= limit) return text;
  std::size_t from = text.size() - limit;
  while (from < text.size() && is_continuation(text[from])) ++from;
  return text.substr(from);
}

// Tabs keep their width in both lines.
std::string shown(std::string_view text) { return printable(text, "\t"); }

}  // namespace

TextPosition position_of(std::string_view text, Span span) {
  const std::string_view before(text.data(), static_cast<std::size_t>(span.begin - text.data()));
  const std::size_t newline = before.rfind('\n');
  const std::string_view left = newline == std::string_view::npos ? before : before.substr(newline + 1);
  std::string_view right = text.substr(before.size());
  right = right.substr(0, right.find('\n'));
  if (right.ends_with('\r')) right.remove_suffix(1);

  TextPosition position;
  position.line = 1 + static_cast<std::uint64_t>(std::ranges::count(before, '\n'));
  position.column = 1 + count_characters(left);

  const std::string in_front = shown(tail(left, kWindow));
  const std::string_view rest = head(right, kWindow);
  const auto length = std::min(static_cast<std::size_t>(span.end - span.begin), rest.size());
  const std::string marked = shown(rest.substr(0, length));
  std::string indent = in_front;
  std::erase_if(indent, is_continuation);
  std::ranges::replace_if(indent, [](char c) { return c != '\t'; }, ' ');
  const std::string number = std::to_string(position.line);
  position.excerpt = fmt::format("{} | {}{}{}\n{} | {}{}", number, in_front, marked, shown(rest.substr(length)),
                                 std::string(number.size(), ' '), indent,
                                 std::string(std::max<std::size_t>(1, count_characters(marked)), '^'));
  return position;
}

}  // namespace wasi::text
