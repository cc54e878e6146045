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
  enum class Follows : std::uint8_t {
    lines,  // whoever asks says where pointers are to be forgotten
    jumps,  // and over calls, into the frame, and to labels that are told of
  };
  // rdi has the VmContext at a function's begin.
  explicit FieldNames(Follows follows = Follows::lines) : follows_jumps_(follows == Follows::jumps) {
    pointers_["rdi"] = "vm";
  }

  // "    mov rax, qword ptr [rdi+8]" is "    mov rax, qword ptr [vm.exec]".
  std::string rename(std::string_view line);
  // What comes next may be reached from elsewhere.
  void forget() { pointers_.clear(); }
  // The same, but it is known from where: from what is in front of it, if that goes on here, and from the jumps that
  // were seen.
  void at_label(std::string_view label);

 private:
  struct Field {
    std::string name;  // "vm.exec"
    std::string type;  // of what it points to: "exec"
  };
  [[nodiscard]] std::optional<Field> find(std::string_view address) const;
  void forget_register(std::string_view reg);
  void follow(std::string_view mnemonic, std::string_view operands);

  using Pointers = std::map<std::string, std::string, std::less<>>;
  const bool follows_jumps_;
  Pointers pointers_;                                      // what a register, or "rbp-40", points to
  std::map<std::string, Pointers, std::less<>> at_jumps_;  // by label
  bool goes_on_ = true;                                    // behind the last instruction
};

}  // namespace wasi::test
