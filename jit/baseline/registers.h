// Which registers there are for what, and who has them.
//
//   rbx, r12 to r15   locals; r15 the base of memory 0 in functions that access it. They survive calls by themselves
//   r8 to r10         locals, where that pays; r10 the base of memory 0 in functions that call nothing
//   xmm8 to xmm13     floats and vectors of locals; both kinds go home around calls
//   rax, rcx, rdx, rsi, rdi, xmm0 to xmm7   temporaries; rsi a local where nothing is called and four are enough
//   r11, xmm14, xmm15 scratch of the macro assembler
#pragma once

#include <bit>
#include <cstdint>
#include <utility>

#include "jit/baseline/value_model.h"

namespace wasi::jit::baseline {

enum class Bank : std::uint8_t { general, vector };
constexpr Bank bank_of(Type type) { return is_vector_bank(type) ? Bank::vector : Bank::general; }

constexpr std::uint32_t bit(unsigned reg) { return 1U << reg; }

inline constexpr std::uint8_t kRax = 0;
inline constexpr std::uint8_t kRcx = 1;
inline constexpr std::uint8_t kRdx = 2;
inline constexpr std::uint8_t kRbx = 3;
inline constexpr std::uint8_t kMemoryBase = 15;
inline constexpr std::uint8_t kLeafMemoryBase = 10;

// In the order in which they are given to locals.
inline constexpr std::uint8_t kPreservedPins[] = {3, 12, 13, 14, 15};
inline constexpr std::uint8_t kOtherPins[] = {8, 9, 10};
inline constexpr std::uint8_t kSparePin = 6;  // a temporary elsewhere
inline constexpr std::uint8_t kVectorPins[] = {8, 9, 10, 11, 12, 13};
inline constexpr std::uint32_t kTemporaries[] = {
    bit(0) | bit(1) | bit(2) | bit(6) | bit(7),
    0xFF,
};

constexpr bool is_preserved(std::uint8_t gpr) { return gpr == 3 || gpr >= 12; }

// Who has each register: free, of an entry of the stack (its index), held by the instruction, or out of bounds.
class RegisterFile {
 public:
  static constexpr std::uint32_t kHeld = UINT32_MAX;

  RegisterFile() : usable_{kTemporaries[0], kTemporaries[1]}, free_{kTemporaries[0], kTemporaries[1]} {}

  [[nodiscard]] bool is_usable(Bank bank, std::uint8_t reg) const { return (usable_[index(bank)] & bit(reg)) != 0; }
  [[nodiscard]] bool is_free(Bank bank, std::uint8_t reg) const { return (free_[index(bank)] & bit(reg)) != 0; }
  [[nodiscard]] bool any_free(Bank bank, std::uint32_t but = 0) const { return (free_[index(bank)] & ~but) != 0; }
  [[nodiscard]] std::uint8_t first_free(Bank bank, std::uint32_t but = 0) const {
    return static_cast<std::uint8_t>(std::countr_zero(free_[index(bank)] & ~but));
  }
  // Locals have these registers from now on. Values of the stack have none that it takes.
  void pin(std::uint32_t general) {
    const std::uint32_t before = std::exchange(usable_[0], kTemporaries[0] & ~general);
    free_[0] = (free_[0] | ~before) & usable_[0];
  }
  void own(Bank bank, std::uint8_t reg, std::uint32_t owner) {
    free_[index(bank)] &= ~bit(reg);
    owner_[index(bank)][reg] = owner;
  }
  // By the instruction, where it is not free.
  void hold(Bank bank, std::uint8_t reg) { owner_[index(bank)][reg] = kHeld; }
  void free(Bank bank, std::uint8_t reg) { free_[index(bank)] |= bit(reg) & usable_[index(bank)]; }
  [[nodiscard]] std::uint32_t owner(Bank bank, std::uint8_t reg) const { return owner_[index(bank)][reg]; }
  // Usable registers that are not free.
  [[nodiscard]] std::uint32_t taken(Bank bank) const { return usable_[index(bank)] & ~free_[index(bank)]; }

 private:
  static constexpr unsigned index(Bank bank) { return static_cast<unsigned>(bank); }
  std::uint32_t usable_[2];
  std::uint32_t free_[2];
  std::uint32_t owner_[2][16] = {};
};

}  // namespace wasi::jit::baseline
