// Where a function's machine code keeps parameters and locals, for who looks at its frames (frame_capture.h). Of the
// baseline's code, where somebody asked for it: it costs memory, and what runs before a trap keeps some registers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace wasi::runtime {

struct NativeLocals {
  // A local has a register instead of its home.
  struct Pin {
    std::uint32_t local = 0;
    std::uint8_t reg = 0;  // by its number in instruction encodings
    bool is_vector = false;
  };
  // Code from here on, up to the next piece.
  struct Piece {
    std::uint32_t begin = 0;  // from the begin of the code on
    std::uint32_t first_pin = 0;
    std::uint32_t pin_count = 0;
    bool is_known = true;          // else nothing is where it should be
    bool calls_keep_homes = true;  // at calls, what is in registers that callees clobber is at home, too
    bool is_trap = false;          // of general registers that is in ExecState::native_fault_registers instead

    // Whether it says the same as the one before it.
    [[nodiscard]] bool continues(const Piece& before) const {
      return first_pin == before.first_pin && pin_count == before.pin_count && is_known == before.is_known &&
             calls_keep_homes == before.calls_keep_homes && is_trap == before.is_trap;
    }
  };

  std::uintptr_t code = 0;          // where the function's code begins
  std::vector<std::int32_t> homes;  // of each local, in bytes from rbp on; 0: the function never looks at it
  std::vector<Pin> pins;
  std::vector<Piece> pieces;  // in order

  // Null where nothing is known of the place.
  [[nodiscard]] const Piece* piece_at(std::uintptr_t pc) const;
  [[nodiscard]] std::span<const Pin> pins_of(const Piece& piece) const {
    return std::span(pins).subspan(piece.first_pin, piece.pin_count);
  }
};

}  // namespace wasi::runtime
