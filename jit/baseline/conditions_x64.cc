#include "jit/baseline/numeric_x64.h"

namespace wasi::jit::baseline {

using Parity = Condition::Parity;

void branch(MacroAssembler& m, Condition condition, const asmjit::Label& target) {
  switch (condition.parity) {
    case Parity::ignored:
      m.j(condition.code, target);
      return;
    case Parity::or_unordered:
      m.j(condition.code, target);
      m.jp(target);
      return;
    case Parity::and_ordered: {
      const asmjit::Label past = m.newLabel();
      m.short_().jp(past);
      m.j(condition.code, target);
      m.bind(past);
      return;
    }
  }
}

void set(MacroAssembler& m, Condition condition, x64::Gp dst) {
  m.set(condition.code, dst.r8());
  if (condition.parity == Parity::ignored) {
    m.movzx(dst.r32(), dst.r8());
  } else if (condition.parity == Parity::and_ordered) {
    m.setnp(MacroAssembler::kScratch.r8());
    m.movzx(dst.r32(), dst.r8());
    m.and_(dst.r8(), MacroAssembler::kScratch.r8());
  } else {
    m.setp(MacroAssembler::kScratch.r8());
    m.movzx(dst.r32(), dst.r8());
    m.or_(dst.r8(), MacroAssembler::kScratch.r8());
  }
}

void move_if(MacroAssembler& m, Condition condition, x64::Gp dst, x64::Gp a) {
  const x64::Gp to = dst.r64();
  const x64::Gp from = a.r64();
  switch (condition.parity) {
    case Parity::ignored:
      m.cmov(condition.code, to, from);
      return;
    case Parity::or_unordered:
      m.cmov(condition.code, to, from);
      m.cmovp(to, from);
      return;
    case Parity::and_ordered: {
      // What stays, where the code or the order says no.
      const x64::Gp chosen = MacroAssembler::kScratch;
      m.mov(chosen, from);
      m.cmov(x64::negateCond(condition.code), chosen, to);
      m.cmovp(chosen, to);
      m.mov(to, chosen);
      return;
    }
  }
}

void move_if(MacroAssembler& m, Condition condition, x64::Xmm dst, x64::Xmm a) {
  if (dst == a) return;
  const asmjit::Label past = m.newLabel();
  const Condition otherwise = condition.negated();
  if (otherwise.parity == Parity::and_ordered) {
    const asmjit::Label take = m.newLabel();
    m.short_().jp(take);
    m.short_().j(otherwise.code, past);
    m.bind(take);
  } else {
    m.short_().j(otherwise.code, past);
    if (otherwise.parity == Parity::or_unordered) m.short_().jp(past);
  }
  m.move(dst, a);
  m.bind(past);
}

}  // namespace wasi::jit::baseline
