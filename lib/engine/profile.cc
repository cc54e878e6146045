// Profiles as texts, and back.
//
//   wasirun profile 2
//   module 0123456789abcdef0123456789abcdef
//   function 16 73728 count_file
//   loop 0x61f 69632
//   callee 0x63a 114 4096
//   callee 0x63a others 7
//
// A loop belongs to the function before it, and so do the callees of a call by reference. What follows a function's
// count is its name, for people: nobody reads it but to show it. Lines that begin with # say nothing, and neither do
// empty ones.
#include <fmt/format.h>
#include <wasi/profile.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include "base/checksum.h"
#include "base/guard.h"
#include "base/printable.h"
#include "base/result.h"
#include "engine/profile.h"

namespace wasi {

namespace {

constexpr std::string_view kFormat = "wasirun profile ";
constexpr std::string_view kVersion = "2";
constexpr std::string_view kWithoutCallees = "1";  // the same but for those
constexpr std::string_view kOthers = "others";
constexpr std::size_t kHashDigits = 32;

auto key_of(const Profile::Callee& callee) { return std::pair(callee.call, callee.function); }

class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  Result<Profile> read() {
    if (!next_line() || !line_.starts_with(kFormat)) {
      return fail(ErrorKind::malformed, "this is no profile: its first line is not \"{}{}\"", kFormat, kVersion);
    }
    if (const auto version = line_.substr(kFormat.size()); version != kVersion && version != kWithoutCallees) {
      return fail(ErrorKind::unsupported,
                  "the profile is of version {}, and this version of wasirun reads versions {} and {}",
                  printable(version), kWithoutCallees, kVersion);
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
    if (kind == "callee") {
      const auto call = number<std::uint64_t>(16);
      const bool is_others = line_.substr(0, line_.find(' ')) == kOthers;
      const auto function = is_others ? std::optional<std::uint32_t>() : number<std::uint32_t>();
      if (is_others) word();
      const auto count = number<std::uint64_t>();
      if (!call || (!is_others && !function) || !count || !line_.empty()) {
        return wrong("expected \"callee 0xOFFSET FUNCTION COUNT\"");
      }
      if (profile_.functions.empty()) return wrong("a callee before any function");
      auto& callees = profile_.functions.back().callees;
      const Profile::Callee callee{*call, function, *count};
      if (!callees.empty() && key_of(callee) <= key_of(callees.back())) return wrong("callees are not in order");
      callees.push_back(callee);
      return {};
    }
    return wrong("expected module, function, loop or callee");
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

template <class T>
void add_counts(T& own, const T& added) {
  own.count = sum(own.count, added.count);
}

// Both by the key, which is the result's.
template <class T, class Key, class Join>
void merge_by(std::vector<T>& into, const std::vector<T>& other, Key key, Join join) {
  std::vector<T> merged;
  merged.reserve(into.size() + other.size());
  auto added = other.begin();
  for (T& own : into) {
    for (; added != other.end() && std::invoke(key, *added) < std::invoke(key, own); ++added) merged.push_back(*added);
    if (added != other.end() && std::invoke(key, *added) == std::invoke(key, own)) join(own, *added++);
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

void detail::add_callees(Profile& profile, const wasm::Module& module, std::span<const runtime::SeenCall> seen) {
  for (const runtime::SeenCall& call : seen) {
    const auto behind =
        std::ranges::upper_bound(module.bodies, call.offset, {}, [](const auto& body) { return body.offset; });
    if (behind == module.bodies.begin()) continue;
    const auto index = module.imported_functions + static_cast<std::uint32_t>(behind - module.bodies.begin()) - 1;
    const auto of = std::ranges::lower_bound(profile.functions, index, {}, &Profile::Function::index);
    if (of == profile.functions.end() || of->index != index) continue;
    std::vector<Profile::Callee> callees;
    if (call.others != 0) callees.push_back({.call = call.offset, .count = call.others});
    for (const auto& [function, calls] : call.callees) {
      if (calls != 0) callees.push_back({.call = call.offset, .function = function, .count = calls});
    }
    std::ranges::sort(callees, {}, key_of);
    merge_by(of->callees, callees, key_of, add_counts<Profile::Callee>);
  }
}

std::vector<runtime::SeenCall> detail::seen_calls(const Profile& profile, const wasm::Module& module) {
  std::vector<runtime::SeenCall> seen;
  for (const Profile::Function& function : profile.functions) {
    for (auto first = function.callees.begin(); first != function.callees.end();) {
      const std::uint64_t offset = first->call;
      runtime::SeenCall& call = seen.emplace_back(runtime::SeenCall{.offset = offset});
      std::vector<runtime::SeenCall::Callee> known;
      for (; first != function.callees.end() && first->call == offset; ++first) {
        const bool has_body = first->function && *first->function < module.functions.size() &&
                              !module.is_imported(wasm::FuncIndex(*first->function));
        if (has_body) {
          known.push_back({*first->function, first->count});
        } else {
          call.others = sum(call.others, first->count);
        }
      }
      std::ranges::sort(known, {}, [](const auto& callee) { return std::pair(~callee.calls, callee.function); });
      for (std::size_t i = 0; i < known.size(); ++i) {
        if (i < call.callees.size()) {
          call.callees[i] = known[i];
        } else {
          call.others = sum(call.others, known[i].calls);
        }
      }
    }
  }
  std::ranges::sort(seen, {}, &runtime::SeenCall::offset);
  return seen;
}

std::string Profile::to_text() const {
  std::string text = fmt::format("{}{}\nmodule {}\n", kFormat, kVersion, module);
  for (const Function& function : functions) {
    text += fmt::format("function {} {}", function.index, function.count);
    if (!function.name.empty()) text += " " + printable(function.name);
    text += '\n';
    for (const Loop& loop : function.loops) text += fmt::format("loop {:#x} {}\n", loop.offset, loop.count);
    for (const Callee& callee : function.callees) {
      text += fmt::format("callee {:#x} {} {}\n", callee.call,
                          callee.function ? fmt::to_string(*callee.function) : std::string(kOthers), callee.count);
    }
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
      merge_by(own.loops, added.loops, &Loop::offset, add_counts<Loop>);
      merge_by(own.callees, added.callees, key_of, add_counts<Callee>);
    });
    *this = std::move(merged);
    return {};
  });
}

}  // namespace wasi
