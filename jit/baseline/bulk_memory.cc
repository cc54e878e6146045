// memory.copy and memory.fill of few bytes, as many as the instruction before says.
//
// Everything is read before anything is written, so that the ranges may overlap, and what reaches the end of the range
// is written first: an access that faults writes nothing, so nothing is written where a part is out of bounds.
#include <algorithm>
#include <array>
#include <vector>

#include "jit/baseline/compiler.h"
#include "jit/common/inline_limits.h"

namespace wasi::jit::baseline {

namespace {

// A displacement that leaves room for those of the pieces.
constexpr std::uint64_t kMostIndex = 1U << 30;

// The one that reaches the end first.
std::vector<Piece> last_first(std::vector<Piece> pieces) {
  std::ranges::reverse(pieces);
  return pieces;
}

x64::Mem part(x64::Mem memory, const Piece& piece) {
  memory.addOffset(piece.offset);
  memory.setSize(piece.bytes);
  return memory;
}

Type vector_type(std::uint32_t bytes) { return bytes == 16 ? Type::v128 : bytes == 8 ? Type::f64 : Type::f32; }

}  // namespace

// The uppermost value says how many bytes; they are not many, and not none.
std::optional<std::uint32_t> Compiler::few_bytes() {
  const Value& count = stack_.back();
  if (!count.is_constant()) return std::nullopt;
  const std::uint64_t bytes = count.type == Type::i64 ? count.bits : count.bits & UINT32_MAX;
  if (bytes == 0 || bytes > kMostInlineBytes || !applies(Optimisation::constant_sizes)) return std::nullopt;
  return static_cast<std::uint32_t>(bytes);
}

// Pops the begin of a range.
Compiler::Address Compiler::range(wasm::MemoryIndex memory, std::uint32_t bytes) {
  if (stack_.back().is_constant() && stack_.back().bits > kMostIndex) {
    Value index = pop();
    const x64::Gp reg = in_gpr(index);
    push_register(index.type, reg);
  }
  return address({.memory = memory}, bytes);
}

bool Compiler::copy_few(wasm::MemoryIndex to, wasm::MemoryIndex from) {
  const std::optional<std::uint32_t> bytes = few_bytes();
  if (!bytes) return false;
  pop();
  const Address source = range(from, *bytes);
  const std::vector<Piece> pieces = last_first(pieces_of(*bytes));
  std::array<std::uint8_t, kMostInlineBytes / 16> registers{};
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const x64::Mem memory = part(source.memory, pieces[i]);
    if (pieces[i].bytes >= 4) {
      const x64::Xmm reg = allocate_xmm();
      registers[i] = static_cast<std::uint8_t>(reg.id());
      fault_site();
      load(reg, vector_type(pieces[i].bytes), memory);
    } else {
      const x64::Gp reg = allocate_gpr();
      registers[i] = static_cast<std::uint8_t>(reg.id());
      fault_site();
      asm_.movzx(reg.r32(), memory);
    }
  }
  release_address(source);
  const Address destination = range(to, *bytes);
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const x64::Mem memory = part(destination.memory, pieces[i]);
    fault_site();
    if (pieces[i].bytes >= 4) {
      store(memory, vector_type(pieces[i].bytes), Assembler::xmm(registers[i]));
      free(Bank::vector, registers[i]);
    } else {
      const x64::Gp reg = Assembler::gpr(registers[i]);
      asm_.mov(memory, pieces[i].bytes == 2 ? x64::Gp(reg.r16()) : x64::Gp(reg.r8()));
      free(Bank::general, registers[i]);
    }
  }
  release_address(destination);
  return true;
}

// With a constant.
bool Compiler::fill_few(wasm::MemoryIndex memory) {
  const std::optional<std::uint32_t> bytes = few_bytes();
  if (!bytes || !stack_[stack_.size() - 2].is_constant()) return false;
  pop();
  const auto byte = static_cast<std::uint8_t>(pop().bits);
  const Address destination = range(memory, *bytes);
  const x64::Xmm pattern = MacroAssembler::kVectorScratch1;
  if (*bytes >= 4) {
    if (byte == 0) {
      asm_.xorps(pattern, pattern);
    } else {
      asm_.movaps(pattern, asm_.splat8(byte));
    }
  }
  for (const Piece& piece : last_first(pieces_of(*bytes))) {
    const x64::Mem to = part(destination.memory, piece);
    fault_site();
    if (piece.bytes >= 4) {
      store(to, vector_type(piece.bytes), pattern);
    } else {
      asm_.mov(to, piece.bytes == 2 ? byte * 0x0101U : byte);
    }
  }
  release_address(destination);
  return true;
}

}  // namespace wasi::jit::baseline
