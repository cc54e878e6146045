// THE native convention: where each argument and each result of a function is when machine code calls.
//
// It is the platform's C convention (System V, x86-64) in registers only, so that compiled code and C++ call each other
// without a word in between:
//  - rdi: the callee's VmContext; rsi, rdx, rcx, r8, r9: integers and references in order; xmm0 to xmm7: floats and
//  vectors.
//    r10: the callee's FunctionCode, from whoever calls through a record;
//  - results: the first two integers or references in rax, rdx, the first two floats or vectors in xmm0, xmm1;
//  - rbx, rbp, r12 to r15 are preserved, and rbp is a chain in every function.
// What has no register goes through memory, never over the native stack: it lies at ExecState::free_slot, in the place
// that it would have among slots which begin there. Caller and callee read at once what the other one wrote. So tail
// calls between any two types are jumps, and an adapter to slots finds such values where they belong. An i32 or f32
// leaves the upper half of its register, or slot, undefined.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "wasm/types.h"

namespace wasi::jit {

// Registers by their numbers in instruction encodings.
enum class Gpr : std::uint8_t { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15 };
enum class Xmm : std::uint8_t { xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7 };

inline constexpr Gpr kContext = Gpr::rdi;
inline constexpr Gpr kCallee = Gpr::r10;
inline constexpr Gpr kIntegerArguments[] = {Gpr::rsi, Gpr::rdx, Gpr::rcx, Gpr::r8, Gpr::r9};
inline constexpr std::size_t kVectorArguments = 8;  // xmm0 on
inline constexpr Gpr kIntegerResults[] = {Gpr::rax, Gpr::rdx};
inline constexpr std::size_t kVectorResults = 2;  // xmm0 on
// Beside rbp, in the order of runtime::SavedRegisters.
inline constexpr Gpr kPreservedRegisters[] = {Gpr::rbx, Gpr::r12, Gpr::r13, Gpr::r14, Gpr::r15};

// Frames up to this size are touched before the stack is checked: the reserve below the limit has room for them.
inline constexpr std::uint32_t kMostUncheckedFrame = 8U << 10;

// Where one value is.
struct Place {
  enum class Bank : std::uint8_t { general, vector, memory };
  Bank bank = Bank::memory;
  bool is_v128 = false;     // all 16 bytes; other values are 8, whatever their type
  std::uint8_t number = 0;  // of the register
  std::uint32_t slot = 0;   // among slots, also where there is a register: the canonical one
  friend bool operator==(const Place&, const Place&) = default;
};

// The places of one list of values after the other.
class PlaceAssigner {
 public:
  static PlaceAssigner of_params() { return {kIntegerArguments, kVectorArguments}; }
  static PlaceAssigner of_results() { return {kIntegerResults, kVectorResults}; }

  Place next(wasm::ValType type) {
    Place place{.is_v128 = type.is_vector(), .slot = slot_};
    if (type == wasm::kI32 || type == wasm::kI64 || type.is_ref()) {
      if (!integers_.empty()) {
        place.bank = Place::Bank::general;
        place.number = static_cast<std::uint8_t>(integers_.front());
        integers_ = integers_.subspan(1);
      }
    } else if (vector_ < vectors_) {
      place.bank = Place::Bank::vector;
      place.number = vector_++;
    }
    slot_ += type.slots();
    return place;
  }
  [[nodiscard]] std::uint32_t slot_count() const { return slot_; }

 private:
  PlaceAssigner(std::span<const Gpr> integers, std::size_t vectors) : integers_(integers), vectors_(vectors) {}
  std::span<const Gpr> integers_;  // that are left
  std::size_t vectors_;            // of which xmm0 to vector_ - 1 are taken
  std::uint8_t vector_ = 0;
  std::uint32_t slot_ = 0;
};

struct NativeSignature {
  std::vector<Place> params;
  std::vector<Place> results;
  std::uint32_t slot_count = 0;  // of parameters or results, whichever take more
};

NativeSignature native_signature(const wasm::FuncType& type);

}  // namespace wasi::jit
