// Profiles as texts, and back.
//
//   wasirun profile 1
//   module 0123456789abcdef0123456789abcdef
//   function 16 73728 count_file
//   loop 0x61f 69632
//
// A loop belongs to the function before it. What follows a function's count is its name, for people: nobody reads it
// but to show it. Lines that begin with # say nothing, and neither do empty ones.
#include <fmt/format.h>
#include <wasi/profile.h>

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>

#include "base/checksum.h"
#include "base/guard.h"
#include "base/printable.h"
#include "base/result.h"
#include "engine/profile.h"

namespace wasi {

namespace {

constexpr std::string_view kFormat = "wasirun profile ";
constexpr std::string_view kVersion = "1";
constexpr std::size_t kHashDigits = 32;

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  Result<Profile> read() {
    if (!next_line() || !line_.starts_with(kFormat)) {
      return fail(ErrorKind::malformed, "this is no profile: its first line is not \"{}{}\"", kFormat, kVersion);
    }
    if (line_.substr(kFormat.size()) != kVersion) {
      return fail(ErrorKind::unsupported, "the profile is of version {}, and this version of wasirun reads version {}",
                  printable(line_.substr(kFormat.size())), kVersion);
    }
    while (next_line()) {
      if (line_.empty() || line_.starts_with('#')) continue;
      WASI_TRY(read_line());
    }
    if (profile_.module.empty()) return wrong("expected a line \"module\" with the module's hash");
    return std::move(profile_);
  }

 private:
  // Lines may end as those of Windows do.
  bool next_line() {
    if (rest_.empty()) return false;
    const std::size_t end = rest_.find('\n');
    line_ = rest_.substr(0, end);
    rest_ = end == std::string_view::npos ? std::string_view() : rest_.substr(end + 1);
    if (line_.ends_with('\r')) line_.remove_suffix(1);
    ++number_;
    return true;
  }

  std::string_view word() {
    const std::size_t end = std::min(line_.find(' '), line_.size());
    const std::string_view found = line_.substr(0, end);
    line_.remove_prefix(std::min(end + 1, line_.size()));
    return found;
  }

  template <class T>
  std::optional<T> number(int base = 10) {
    std::string_view digits = word();
    if (base == 16) {
      if (!digits.starts_with("0x")) return std::nullopt;
      digits.remove_prefix(2);
    }
    T value{};
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
  }

  Result<void> read_line() {
    const std::string_view kind = word();
    if (kind == "module") {
      const std::string_view hash = word();
      const auto is_digit = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
      if (!profile_.module.empty() || hash.size() != kHashDigits || !std::ranges::all_of(hash, is_digit) ||
          !line_.empty()) {
        return wrong("expected one line \"module\" with 32 hexadecimal digits");
      }
      profile_.module = hash;
      return {};
    }
    if (kind == "function") {
      const auto index = number<std::uint32_t>();
      const auto count = number<std::uint64_t>();
      if (!index || !count) return wrong("expected \"function INDEX COUNT NAME\"");
      auto& functions = profile_.functions;
      if (!functions.empty() && *index <= functions.back().index) return wrong("functions are not in order");
      functions.push_back({.index = *index, .count = *count, .name = std::string(line_)});
      return {};
    }
    if (kind == "loop") {
      const auto offset = number<std::uint64_t>(16);
      const auto count = number<std::uint64_t>();
      if (!offset || !count || !line_.empty()) return wrong("expected \"loop 0xOFFSET COUNT\"");
      if (profile_.functions.empty()) return wrong("a loop before any function");
      auto& loops = profile_.functions.back().loops;
      if (!loops.empty() && *offset <= loops.back().offset) return wrong("loops are not in order");
      loops.push_back({*offset, *count});
      return {};
    }
    return wrong("expected module, function or loop");
  }

  [[nodiscard]] std::unexpected<Error> wrong(std::string_view what) const {
    return fail(ErrorKind::malformed, "the profile is damaged in line {}: {}", number_, what);
  }

  std::string_view rest_;
  std::string_view line_;  // what of it was not read yet
  std::size_t number_ = 0;
  Profile profile_;
};

std::uint64_t sum(std::uint64_t a, std::uint64_t b) {
  return a > std::numeric_limits<std::uint64_t>::max() - b ? std::numeric_limits<std::uint64_t>::max() : a + b;
}

// Both by the key, which is the result's.
template <class T, class Key, class Join>
void merge_by(std::vector<T>& into, const std::vector<T>& other, Key T::* key, Join join) {
  std::vector<T> merged;
  merged.reserve(into.size() + other.size());
  auto added = other.begin();
  for (T& own : into) {
    for (; added != other.end() && (*added).*key < own.*key; ++added) merged.push_back(*added);
    if (added != other.end() && (*added).*key == own.*key) join(own, *added++);
    merged.push_back(std::move(own));
  }
  merged.insert(merged.end(), added, other.end());
  into = std::move(merged);
}

}  // namespace

std::string detail::profile_hash(const wasm::Module& module) {
  const auto [high, low] = base::wide_checksum({module.bytes.data});
  return fmt::format("{:016x}{:016x}", high, low);
}

std::string Profile::to_text() const {
  std::string text = fmt::format("{}{}\nmodule {}\n", kFormat, kVersion, module);
  for (const Function& function : functions) {
    text += fmt::format("function {} {}", function.index, function.count);
    if (!function.name.empty()) text += " " + printable(function.name);
    text += '\n';
    for (const Loop& loop : function.loops) text += fmt::format("loop {:#x} {}\n", loop.offset, loop.count);
  }
  return text;
}

Result<Profile> Profile::parse(std::string_view text) {
  return guarded([&] { return Reader(text).read(); });
}

Result<void> Profile::merge(const Profile& other) {
  return guarded([&]() -> Result<void> {
    if (!module.empty() && !other.module.empty() && module != other.module) {
      return fail(ErrorKind::argument, "the profiles are of different modules: {} and {}", module, other.module);
    }
    Profile merged = *this;
    if (merged.module.empty()) merged.module = other.module;
    merge_by(merged.functions, other.functions, &Function::index, [](Function& own, const Function& added) {
      own.count = sum(own.count, added.count);
      merge_by(own.loops, added.loops, &Loop::offset,
               [](Loop& loop, const Loop& more) { loop.count = sum(loop.count, more.count); });
    });
    *this = std::move(merged);
    return {};
  });
}

}  // namespace wasi
