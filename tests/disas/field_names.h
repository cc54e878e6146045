// Names for what machine code reaches through the VmContext, in place of offsets: so a golden does not change when a
// struct of the runtime does.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace wasi::test {

// Follows pointers from register to register, one instruction of the listing after the other.
class FieldNames {
 public:
  // rdi has the VmContext at a function's begin.
  FieldNames() { pointers_["rdi"] = "vm"; }

  // "    mov rax, qword ptr [rdi+8]" is "    mov rax, qword ptr [vm.exec]".
  std::string rename(std::string_view line);
  // What comes next may be reached from elsewhere.
  void forget() { pointers_.clear(); }

 private:
  struct Field {
    std::string name;  // "vm.exec"
    std::string type;  // of what it points to: "exec"
  };
  [[nodiscard]] std::optional<Field> find(std::string_view address) const;
  void forget_register(std::string_view reg);

  std::map<std::string, std::string, std::less<>> pointers_;  // what a register points to
};

}  // namespace wasi::test
