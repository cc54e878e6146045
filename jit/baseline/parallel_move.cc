// Values into given registers, where those are sources of each other.
#include "base/check.h"
#include "jit/baseline/compiler.h"

namespace wasi::jit::baseline {

// A move is due when no other one still reads its destination. Where there is none, all that are left form cycles: one
// source goes to the scratch register. Flags are kept.
void Compiler::move_in_parallel(std::vector<Move>& moves) {
  const auto emit = [this](const Move& move) {
    if (move.bank == Bank::general) {
      copy_to(Assembler::gpr(move.to), move.from);
    } else {
      copy_to(Assembler::xmm(move.to), move.from);
    }
  };
  while (!moves.empty()) {
    bool any = false;
    for (std::size_t i = 0; i < moves.size();) {
      bool is_read = false;
      for (std::size_t j = 0; j < moves.size() && !is_read; ++j) {
        is_read = j != i && is_in(moves[j].from, moves[i].bank, moves[i].to);
      }
      if (is_read) {
        ++i;
        continue;
      }
      emit(moves[i]);
      moves[i] = moves.back();
      moves.pop_back();
      any = true;
    }
    if (any || moves.empty()) continue;
    const Bank bank = moves[0].bank;
    const std::uint8_t from = moves[0].to;
    const auto scratch = static_cast<std::uint8_t>(bank == Bank::general ? MacroAssembler::kScratch.id()
                                                                         : MacroAssembler::kVectorScratch1.id());
    if (bank == Bank::general) {
      asm_.mov(Assembler::gpr(scratch), Assembler::gpr(from));
    } else {
      asm_.move(Assembler::xmm(scratch), Assembler::xmm(from));
    }
    for (Move& move : moves) {
      if (!is_in(move.from, bank, from)) continue;
      move.from.where = Where::reg;
      move.from.reg = scratch;
    }
  }
}

}  // namespace wasi::jit::baseline
