// What the encoder writes by itself is what asmjit would have written, byte by byte.
#include "jit/baseline/encoder_x64.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <catch2/catch.hpp>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace wasi::jit::baseline {
namespace {

using asmjit::Label;
using x64::CondCode;
using x64::Gp;
using x64::Mem;
using x64::Xmm;
namespace Inst = x64::Inst;

// Both assemblers, side by side.
class Both {
 public:
  // One instruction, by a generic function that emits it.
  void check(const auto& emit) {
    const std::size_t before = own_.offset();
    REQUIRE(asmjit_.offset() == before);
    emit(own_);
    emit(asmjit_);
    ++count_;
    const std::span own(own_.bufferData() + before, own_.bufferPtr());
    const std::span expected(asmjit_.bufferData() + before, asmjit_.bufferPtr());
    if (std::ranges::equal(own, expected) && !own.empty()) return;
    FAIL(fmt::format("instruction {}: {:02x} and not {:02x}", count_, fmt::join(own, " "), fmt::join(expected, " ")));
  }
  void finish() { CHECK(own_.take().value() == asmjit_.take().value()); }

 private:
  Encoder own_;
  Assembler asmjit_;
  int count_ = 0;
};

std::vector<Gp> all_registers(std::uint32_t size) {
  std::vector<Gp> registers;
  registers.reserve(16);
  for (std::uint32_t id = 0; id < 16; ++id) {
    registers.push_back(size == 8   ? Gp(x64::gpq(id))
                        : size == 4 ? Gp(x64::gpd(id))
                        : size == 2 ? Gp(x64::gpw(id))
                                    : Gp(x64::gpb(id)));
  }
  return registers;
}

std::vector<Mem> all_addresses(std::uint32_t size) {
  std::vector<Mem> addresses;
  for (const std::int32_t displacement : {0, 1, -1, 127, -128, 128, -129, INT32_MAX, INT32_MIN}) {
    for (const Gp& base : all_registers(8)) {
      addresses.push_back(x64::ptr(base, displacement, size));
      for (const Gp& index : all_registers(8)) {
        if (index.id() == Gp::kIdSp) continue;
        addresses.push_back(x64::ptr(base, index, (base.id() + index.id()) % 4, displacement, size));
      }
    }
  }
  return addresses;
}

constexpr std::int64_t kConstants[] = {
    0,         1,         -1,         2,           127,           -128,      128,       -129,        255,
    INT32_MAX, INT32_MIN, UINT32_MAX, 0x8000'0000, 0x1'0000'0000, INT64_MAX, INT64_MIN, -0x8000'0001};

TEST_CASE("instructions on registers are asmjit's", "[encoder]") {
  Both both;
  for (const std::uint32_t size : {4U, 8U}) {
    for (const Gp& a : all_registers(size)) {
      for (const Gp& b : all_registers(size)) {
        both.check([&](auto& m) { m.mov(a, b); });
        both.check([&](auto& m) { m.add(a, b); });
        both.check([&](auto& m) { m.or_(a, b); });
        both.check([&](auto& m) { m.adc(a, b); });
        both.check([&](auto& m) { m.sbb(a, b); });
        both.check([&](auto& m) { m.and_(a, b); });
        both.check([&](auto& m) { m.sub(a, b); });
        both.check([&](auto& m) { m.xor_(a, b); });
        both.check([&](auto& m) { m.cmp(a, b); });
        both.check([&](auto& m) { m.test(a, b); });
        both.check([&](auto& m) { m.cmov(CondCode::kLE, a, b); });
        for (const auto inst : {Inst::kIdAdd, Inst::kIdOr, Inst::kIdAnd, Inst::kIdSub, Inst::kIdXor, Inst::kIdCmp,
                                Inst::kIdTest, Inst::kIdImul, Inst::kIdMov, Inst::kIdBsr}) {
          both.check([&](auto& m) { m.emit(inst, a, b); });
        }
        for (const Gp& c : all_registers(size)) {
          for (const auto inst : {Inst::kIdShlx, Inst::kIdShrx, Inst::kIdSarx, Inst::kIdAndn}) {
            both.check([&](auto& m) { m.emit(inst, a, b, c); });
          }
        }
      }
      for (const Gp& b : all_registers(4)) {
        if (size == 8) both.check([&](auto& m) { m.movsxd(a, b); });
      }
      for (const Gp& b : all_registers(2)) {
        both.check([&](auto& m) { m.movzx(a, b); });
        both.check([&](auto& m) { m.movsx(a, b); });
      }
      for (const Gp& b : all_registers(1)) {
        both.check([&](auto& m) { m.movzx(a, b); });
        both.check([&](auto& m) { m.movsx(a, b); });
      }
      for (const auto inst : {Inst::kIdShl, Inst::kIdShr, Inst::kIdSar, Inst::kIdRol, Inst::kIdRor}) {
        both.check([&](auto& m) { m.emit(inst, a, x64::cl); });
        for (const int count : {1, 2, 31, 63}) both.check([&](auto& m) { m.emit(inst, a, asmjit::imm(count)); });
      }
    }
  }
  for (const Gp& a : all_registers(1)) {
    for (unsigned code = 0; code < 16; ++code) {
      both.check([&](auto& m) { m.set(static_cast<CondCode>(code), a); });
    }
    for (const Gp& b : all_registers(1)) {
      both.check([&](auto& m) { m.and_(a, b); });
      both.check([&](auto& m) { m.mov(a, b); });
    }
  }
  for (const Gp& a : all_registers(2)) {
    for (const Gp& b : all_registers(2)) {
      both.check([&](auto& m) { m.mov(a, b); });
      both.check([&](auto& m) { m.add(a, b); });
    }
  }
  for (const Gp& a : all_registers(8)) {
    both.check([&](auto& m) { m.push(a); });
    both.check([&](auto& m) { m.pop(a); });
    both.check([&](auto& m) { m.jmp(a); });
    both.check([&](auto& m) { m.call(a); });
  }
  for (std::uint32_t a = 0; a < 16; ++a) {
    for (std::uint32_t b = 0; b < 16; ++b) both.check([&](auto& m) { m.xorps(x64::xmm(a), x64::xmm(b)); });
  }
  both.check([&](auto& m) { m.leave(); });
  both.check([&](auto& m) { m.ret(); });
  both.finish();
}

TEST_CASE("instructions with constants are asmjit's", "[encoder]") {
  Both both;
  for (const std::int64_t value : kConstants) {
    for (const Gp& a : all_registers(8)) {
      both.check([&](auto& m) { m.mov(a, value); });
      both.check([&](auto& m) { m.mov(a.r32(), value); });
      const bool fits = value == static_cast<std::int32_t>(value);
      for (const Gp& reg : {Gp(a), Gp(a.r32())}) {
        if (!fits && (reg.size() == 8 || value != static_cast<std::uint32_t>(value))) continue;
        both.check([&](auto& m) { m.add(reg, value); });
        both.check([&](auto& m) { m.or_(reg, value); });
        both.check([&](auto& m) { m.adc(reg, value); });
        both.check([&](auto& m) { m.sbb(reg, value); });
        both.check([&](auto& m) { m.and_(reg, value); });
        both.check([&](auto& m) { m.sub(reg, value); });
        both.check([&](auto& m) { m.xor_(reg, value); });
        both.check([&](auto& m) { m.cmp(reg, value); });
        both.check([&](auto& m) { m.emit(Inst::kIdImul, reg, asmjit::imm(value)); });
        both.check([&](auto& m) { m.emit(Inst::kIdTest, reg, asmjit::imm(value)); });
      }
    }
    for (const std::uint32_t size : {1U, 2U, 4U, 8U}) {
      if (size == 8 && value != static_cast<std::int32_t>(value)) continue;
      const std::int64_t mask = size == 8 ? -1 : (std::int64_t{1} << size * 8) - 1;
      for (const Mem& to : {x64::ptr(x64::rbp, 8, size), x64::ptr(x64::r12, x64::r9, 3, 1000, size)}) {
        both.check([&](auto& m) { m.mov(to, value & mask); });
        both.check([&](auto& m) { m.emit(Inst::kIdMov, to, asmjit::imm(value & mask)); });
        if (size >= 4) {
          both.check([&](auto& m) { m.cmp(to, value & mask); });
          both.check([&](auto& m) { m.add(to, value & mask); });
        }
      }
    }
  }
  both.finish();
}

TEST_CASE("instructions with memory are asmjit's", "[encoder]") {
  Both both;
  for (const std::uint32_t size : {1U, 2U, 4U, 8U}) {
    for (const Mem& memory : all_addresses(size)) {
      const std::uint32_t number = (memory.baseId() * 5 + memory.indexId() * 3) % 16;
      const Gp reg = all_registers(size)[number];
      both.check([&](auto& m) { m.mov(reg, memory); });
      both.check([&](auto& m) { m.mov(memory, reg); });
      both.check([&](auto& m) { m.cmp(memory, reg); });
      both.check([&](auto& m) { m.cmp(reg, memory); });
      both.check([&](auto& m) { m.emit(Inst::kIdSub, reg, memory); });
      both.check([&](auto& m) { m.emit(Inst::kIdCmp, memory, asmjit::imm(5)); });
      both.check([&](auto& m) { m.mov(memory, 5); });
      if (size <= 2) {
        both.check([&](auto& m) { m.movzx(x64::gpd(number), memory); });
        both.check([&](auto& m) { m.movzx(x64::gpq(number), memory); });
        both.check([&](auto& m) { m.movsx(x64::gpd(number), memory); });
        both.check([&](auto& m) { m.movsx(x64::gpq(number), memory); });
        continue;
      }
      both.check([&](auto& m) { m.lea(reg, memory); });
      both.check([&](auto& m) { m.add(reg, memory); });
      both.check([&](auto& m) { m.xor_(reg, memory); });
      both.check([&](auto& m) { m.emit(Inst::kIdImul, reg, memory); });
      const Xmm xmm = x64::xmm(number);
      if (size == 4) {
        both.check([&](auto& m) { m.movsxd(x64::gpq(number), memory); });
        both.check([&](auto& m) { m.movss(xmm, memory); });
        both.check([&](auto& m) { m.movss(memory, xmm); });
      } else {
        both.check([&](auto& m) { m.movsd(xmm, memory); });
        both.check([&](auto& m) { m.movsd(memory, xmm); });
        both.check([&](auto& m) { m.jmp(memory); });
        both.check([&](auto& m) { m.call(memory); });
      }
    }
  }
  for (const Mem& memory : all_addresses(16)) {
    const Xmm xmm = x64::xmm(memory.baseId());
    both.check([&](auto& m) { m.movups(xmm, memory); });
    both.check([&](auto& m) { m.movups(memory, xmm); });
  }
  // What is asmjit's anyway: other segments, absolute addresses, 32-bit addresses.
  Mem elsewhere = x64::qword_ptr(x64::rax, 8);
  elsewhere.setSegment(x64::fs);
  for (const Mem& memory : {elsewhere, Mem(x64::qword_ptr(0x1000)), Mem(x64::qword_ptr(x64::eax, x64::ecx, 1, 4))}) {
    both.check([&](auto& m) { m.mov(x64::rax, memory); });
    both.check([&](auto& m) { m.add(x64::rdx, memory); });
  }
  both.finish();
}

// Jumps over all distances around those where the short form ends, both ways, several to one label.
std::vector<std::uint8_t> jumps(auto& m, int between) {
  const Label above = m.newLabel();
  const Label below = m.newLabel();
  const Label near = m.newLabel();
  const Label table = m.newLabel();
  m.mov(x64::eax, 1);
  m.bind(above);
  m.jmp(below);
  m.short_().j(CondCode::kB, near);
  m.short_().jp(near);
  m.jne(below);
  m.bind(near);
  for (int i = 0; i < between; ++i) m.ret();
  m.j(CondCode::kG, above);
  m.jmp(above);
  m.call(above);
  m.call(below);
  m.jz(below);
  m.lea(x64::r11, x64::ptr(table));
  m.lea(x64::rcx, x64::ptr(above));
  m.mov(x64::r9, x64::qword_ptr(table, 8));
  m.emit(Inst::kIdPaddd, x64::xmm3, x64::xmmword_ptr(table));
  m.emit(Inst::kIdVpaddd, x64::xmm3, x64::xmm9, x64::xmmword_ptr(table, 16));
  m.emit(Inst::kIdVpshufd, x64::xmm3, x64::xmmword_ptr(above, 16), asmjit::imm(0x10));
  m.emit(Inst::kIdVpblendw, x64::xmm3, x64::xmm4, x64::xmmword_ptr(table, -16), asmjit::imm(0x76));
  for (int i = 0; i < between; ++i) m.emit(Inst::kIdCqo);
  m.bind(below);
  m.jmp(below);
  m.bind(table);
  return m.take().value();
}

TEST_CASE("jumps are asmjit's", "[encoder]") {
  for (int between = 0; between < 300; ++between) {
    Encoder own;
    Assembler expected;
    CAPTURE(between);
    REQUIRE(jumps(own, between) == jumps(expected, between));
  }
}

TEST_CASE("a listing does not change the code", "[encoder]") {
  Encoder listed;
  asmjit::StringLogger logger;
  listed.setLogger(&logger);
  Encoder own;
  CHECK(jumps(listed, 50) == jumps(own, 50));
  CHECK_THAT(std::string(logger.data()), Catch::Contains("jmp L1"));
}

TEST_CASE("where a label is", "[encoder]") {
  Encoder m;
  const Label label = m.newLabel();
  m.mov(x64::eax, 1);
  m.bind(label);
  m.ret();
  CHECK(m.label_offset(label) == 5);
}

TEST_CASE("jumps without a place to go to are errors", "[encoder]") {
  const auto error_of = [](const std::function<void(Encoder&, const Label&)>& emit) {
    Encoder m;
    emit(m, m.newLabel());
    m.ret();
    const auto code = m.take();
    return code ? std::string() : code.error().message;
  };
  CHECK(error_of([](Encoder& m, const Label& label) { m.bind(label); }).empty());
  CHECK_THAT(error_of([](Encoder& m, const Label& label) { m.jmp(label); }), Catch::Contains("no place"));
  CHECK_THAT(error_of([](Encoder& m, const Label& label) { m.short_().jp(label); }), Catch::Contains("no place"));
  CHECK_THAT(error_of([](Encoder& m, const Label& label) {
               m.short_().jp(label);
               for (int i = 0; i < 128; ++i) m.ret();
               m.bind(label);
             }),
             Catch::Contains("too far"));
  CHECK_THAT(error_of([](Encoder& m, const Label& label) { m.mov(x64::rax, x64::ptr(label)); }),
             Catch::Contains("no place"));
  // Labels are known only where it is written that they are.
  CHECK_THAT(error_of([](Encoder& m, const Label& label) { m.mov(x64::rax, x64::ptr(label, x64::rax)); }),
             Catch::Contains("cannot be encoded"));
  CHECK_THAT(error_of([](Encoder& m, const Label& label) { m.embedLabel(label); }),
             Catch::Contains("cannot be encoded"));
}

TEST_CASE("nothing is left of what was before", "[encoder]") {
  Encoder fresh;
  const std::vector<std::uint8_t> expected = jumps(fresh, 50);
  Encoder used;
  const auto use = [&](const std::function<void()>& write) {
    write();
    used.reset();
    CHECK(jumps(used, 50) == expected);
    used.reset();
  };
  use([] {});
  use([&] { CHECK(jumps(used, 100).size() > expected.size()); });
  use([&] { used.jmp(used.newLabel()); });
  use([&] { used.short_().jp(used.newLabel()); });
  use([&] { used.mov(x64::rax, x64::ptr(used.newLabel())); });
  use([&] { used.embedLabel(used.newLabel()); });
  asmjit::StringLogger logger;
  used.setLogger(&logger);
  use([&] { CHECK(jumps(used, 50) == expected); });
}

TEST_CASE("the buffer grows for whoever writes", "[encoder]") {
  Encoder own;
  Assembler expected;
  const auto fill = [](auto& m) {
    for (int i = 0; i < 100'000; ++i) {
      m.mov(x64::rax, std::int64_t{i} << 32);
      if (i % 3 == 0) m.cpuid();
      if (i % 100 == 0) m.align(asmjit::AlignMode::kCode, 16);
      if (i % 1000 == 0) m.embed("some text", 9);
    }
    return m.take().value();
  };
  CHECK(fill(own) == fill(expected));
}

}  // namespace
}  // namespace wasi::jit::baseline
