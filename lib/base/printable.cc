#include "base/printable.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace wasi {

namespace {

// Source: https://www.unicode.org/Public/16.0.0/ucd/extracted/DerivedGeneralCategory.txt, categories Cc (beyond ASCII),
// Cf, Zl, Zp.
struct Range {
  std::uint32_t first;
  std::uint32_t last;
};
constexpr Range kHidden[] = {
    {0x80, 0x9F},       {0xAD, 0xAD},       {0x600, 0x605},     {0x61C, 0x61C},     {0x6DD, 0x6DD},
    {0x70F, 0x70F},     {0x890, 0x891},     {0x8E2, 0x8E2},     {0x180E, 0x180E},   {0x200B, 0x200F},
    {0x2028, 0x202E},   {0x2060, 0x2064},   {0x2066, 0x206F},   {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},
    {0x110BD, 0x110BD}, {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
    {0xE0001, 0xE0001}, {0xE0020, 0xE007F},
};

}  // namespace

// Source: RFC 3629, section 4.
CodePoint first_code_point(std::string_view text) {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  if (lead < 0x80) return {lead, 1};
  const std::size_t size = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || size > text.size()) return {};
  std::uint32_t code = lead & (0xFFU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<std::uint8_t>(text[i]);
    if ((next & 0xC0U) != 0x80) return {};
    code = code << 6 | (next & 0x3FU);
  }
  const bool is_overlong = (size == 3 && code < 0x800) || (size == 4 && code < 0x10000);
  if (is_overlong || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) return {};
  return {code, size};
}

bool is_hidden(std::uint32_t code) {
  if (code < kHidden[0].first) return false;
  const auto* range = std::ranges::lower_bound(kHidden, code, {}, &Range::last);
  return range != std::end(kHidden) && range->first <= code;
}

bool append_short_escape(std::string& out, char byte) {
  switch (byte) {
    case '"':
      out += "\\\"";
      return true;
    case '\\':
      out += "\\\\";
      return true;
    case '\n':
      out += "\\n";
      return true;
    case '\t':
      out += "\\t";
      return true;
    case '\r':
      out += "\\r";
      return true;
    default:
      return false;
  }
}

std::string printable(std::string_view text, std::string_view kept) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto byte = static_cast<std::uint8_t>(text[0]);
    const CodePoint point = first_code_point(text);
    const std::size_t size = point.size == 0 ? 1 : point.size;
    if (point.size == 0 || ((byte < 0x20 || byte == 0x7F) && kept.find(text[0]) == std::string_view::npos)) {
      if (!append_short_escape(out, text[0])) fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else if (is_hidden(point.code)) {
      fmt::format_to(std::back_inserter(out), "\\u{{{:x}}}", point.code);
    } else {
      out.append(text.substr(0, size));
    }
    text.remove_prefix(size);
  }
  return out;
}

}  // namespace wasi
