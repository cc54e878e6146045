// Variables of a Spin application, and the configuration of its components, whose values are templates over them.
#pragma once

#include <expected>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wasirun::serve {

struct SpinVariable {
  std::optional<std::string> value;  // by default; none: it has to be given
  bool is_secret = false;            // not to be shown to anybody; nothing here shows any
};
using SpinVariables = std::map<std::string, SpinVariable, std::less<>>;

// Why a name is none of a variable or of a component's configuration; empty when it is one.
std::optional<std::string> not_a_spin_key(std::string_view key);

// Text with variables in it: "https://{{ host }}/".
class SpinTemplate {
 public:
  static std::expected<SpinTemplate, std::string> parse(std::string_view text);
  struct Part {
    bool is_variable = false;
    std::string text;
  };
  [[nodiscard]] const std::vector<Part>& parts() const { return parts_; }

 private:
  std::vector<Part> parts_;
};

// A variable of the environment that the server runs in, or none.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;
// The process's own.
Environment process_environment();

// The value of a template: of each variable what the environment says (SPIN_VARIABLE_NAME, SPIN_CONFIG_NAME,
// SPIN_APP_NAME: the names that versions of Spin look for), or else its default. The error names the one without
// either.
std::expected<std::string, std::string> resolve(const SpinTemplate& value, const SpinVariables& variables,
                                                const Environment& environment);

}  // namespace wasirun::serve
