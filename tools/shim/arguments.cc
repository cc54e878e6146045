#include "tools/shim/arguments.h"

#include <array>
#include <optional>
#include <string_view>

#include "base/printable.h"
#include "base/result.h"

namespace wasirun::shim {

namespace {

struct ValueFlag {
  std::string_view name;
  std::string Arguments::* value;  // null: known, and of no use here
};
constexpr std::array<ValueFlag, 6> kValueFlags{{{"namespace", &Arguments::containerd_namespace},
                                                {"address", &Arguments::address},
                                                {"id", &Arguments::id},
                                                {"bundle", &Arguments::bundle},
                                                {"publish-binary", nullptr},
                                                {"socket", nullptr}}};

std::optional<Action> action_of(std::string_view word) {
  if (word == "start") return Action::start;
  if (word == "delete") return Action::remove;
  return std::nullopt;
}

const ValueFlag* find_flag(std::string_view name) {
  for (const ValueFlag& flag : kValueFlags) {
    if (flag.name == name) return &flag;
  }
  return nullptr;
}

}  // namespace

wasi::Result<Arguments> parse_arguments(std::span<const char* const> words) {
  Arguments arguments;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words[i];
    if (!word.starts_with('-')) {
      const auto action = action_of(word);
      if (!action) {
        return wasi::fail(wasi::ErrorKind::argument, "\"{}\" is no action of a shim: expected start or delete",
                          wasi::printable(word));
      }
      arguments.action = *action;
      continue;
    }
    std::string_view name = word.substr(word.starts_with("--") ? 2 : 1);
    std::optional<std::string_view> value;
    if (const auto equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    if (name == "v" || name == "version") {
      arguments.action = Action::version;
    } else if (name == "info") {
      arguments.action = Action::info;
    } else if (name == "debug") {
      arguments.debug = value.value_or("true") != "false";
    } else if (const ValueFlag* const flag = find_flag(name); flag != nullptr) {
      if (!value) {
        if (++i == words.size()) return wasi::fail(wasi::ErrorKind::argument, "-{} needs a value", flag->name);
        value = words[i];
      }
      if (flag->value != nullptr) arguments.*(flag->value) = *value;
    } else if (!value && i + 1 < words.size() && words[i + 1][0] != '-' && !action_of(words[i + 1])) {
      ++i;  // the value of a flag that is not known
    }
  }
  return arguments;
}

}  // namespace wasirun::shim
