#include "bench/generator/module_generator.h"

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <string_view>

#include "binary/byte_writer.h"
#include "binary/format.h"
#include "wasm/opcodes.h"

namespace wasi::bench {
namespace {

using binary::ByteWriter;
using wasm::Op;
namespace format = binary::format;

// The letters of the opcode table's signatures.
constexpr std::string_view kTypes = "ilfd";
constexpr std::array<std::uint8_t, 4> kTypeBytes = {0x7F, 0x7E, 0x7D, 0x7C};
constexpr std::uint8_t kEmptyBlock = 0x40;
constexpr std::uint8_t kFuncRefByte = 0x70;
constexpr std::uint32_t kGlobals = 8;  // two of each type
constexpr std::uint32_t kTableSize = 256;
constexpr std::uint32_t kPages = 17;
constexpr std::uint32_t kCallsPerVisitor = 500;

// splitmix64
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
  }
  std::uint32_t below(std::uint64_t limit) { return static_cast<std::uint32_t>((next() >> 32) * limit >> 32); }
  bool chance(std::uint32_t percent) { return below(100) < percent; }

 private:
  std::uint64_t state_;
};

// A function type: indices into kTypes. The first parameter is an i32: 0 makes the function return at once.
struct Signature {
  std::vector<std::uint8_t> params;
  int result = -1;  // none
};

// The instructions of the table that have operands and one result of simple types, by result.
struct Operations {
  std::array<std::vector<Op>, 4> computing;
  std::array<std::vector<Op>, 4> loads;
  std::array<std::vector<Op>, 4> stores;  // by the value's type
  Operations() {
    for (std::size_t i = 0; i < std::size(wasm::kOps); i++) {
      const wasm::OpInfo& row = wasm::kOps[i];
      const auto op = static_cast<Op>(i);
      if (row.prefix != 0 || row.feature != wasm::Feature::mvp || row.signature.size() < 3) continue;
      const auto type = kTypes.find(row.signature.back());
      if (row.access != 0 && row.signature.back() == ':') {
        stores[kTypes.find(row.signature[1])].push_back(op);
      } else if (row.access != 0) {
        loads[type].push_back(op);
      } else if (row.immediate == wasm::ImmediateKind::none && type != std::string_view::npos &&
                 row.signature.front() != ':') {
        computing[type].push_back(op);
        // Additions and comparisons are what programs do; divisions and conversions are rare.
        if (op <= Op::i32_ge_u || (op >= Op::i32_add && op <= Op::i32_mul) ||
            (op >= Op::i32_and && op <= Op::i32_shr_u)) {
          computing[type].insert(computing[type].end(), 5, op);
        }
      }
    }
  }
};

const Operations& operations() {
  static const Operations all;
  return all;
}

// What is the same for all functions of a module.
struct Plan {
  std::vector<Signature> signatures;
  std::vector<std::uint32_t> types;  // of each function that there is so far
};

class FunctionGenerator {
 public:
  FunctionGenerator(Random& random, const Plan& plan, const Signature& signature)
      : random_(random), plan_(plan), signature_(signature) {
    for (const auto type : signature.params) locals_[type].push_back(local_count_++);
  }

  // The entry of the code section: size, locals, instructions.
  ByteWriter generate(std::size_t size) {
    ByteWriter head;
    head.u32(kTypes.size());
    for (std::uint8_t type = 0; type < kTypes.size(); type++) {
      const std::uint32_t more = 1 + random_.below(type == 0 ? 8 : 3);
      head.u32(more);
      head.u8(kTypeBytes[type]);
      for (std::uint32_t i = 0; i < more; i++) locals_[type].push_back(local_count_++);
    }
    get_local(0);
    code_.op(Op::i32_eqz);
    begin(Op::if_);
    return_value(false);
    code_.op(Op::return_);
    finish();
    while (code_.size() < size) statement(0);
    return_value(true);
    code_.op(Op::end);
    ByteWriter entry;
    entry.u64(head.size() + code_.size());
    entry.append(head);
    entry.append(code_);
    return entry;
  }

 private:
  void get_local(std::uint32_t local) {
    code_.op(Op::local_get);
    code_.u32(local);
  }
  std::uint32_t some_local(std::uint8_t type) { return locals_[type][random_.below(locals_[type].size())]; }
  // Locals and globals of a type are of all four; most values of programs are i32.
  std::uint8_t some_type() {
    const std::uint32_t dice = random_.below(100);
    return dice < 70 ? 0 : dice < 82 ? 1 : dice < 85 ? 2 : 3;
  }
  void begin(Op op) {
    code_.op(op);
    code_.u8(kEmptyBlock);
    labels_.push_back(op);
  }
  void finish() {
    code_.op(Op::end);
    labels_.pop_back();
  }

  void constant(std::uint8_t type) {
    const std::uint32_t magnitude = random_.below(5) * 6;
    const auto number = static_cast<std::int64_t>(random_.next() >> 33 >> (24 - magnitude));
    switch (type) {
      case 0:
        code_.op(Op::i32_const);
        code_.s64(number);
        break;
      case 1:
        code_.op(Op::i64_const);
        code_.s64(number);
        break;
      case 2:
        code_.op(Op::f32_const);
        code_.fixed32(std::bit_cast<std::uint32_t>(static_cast<float>(number) / 8));
        break;
      default:
        code_.op(Op::f64_const);
        code_.fixed64(std::bit_cast<std::uint64_t>(static_cast<double>(number) / 8));
    }
  }

  void return_value(bool computed) {
    if (signature_.result < 0) return;
    const auto type = static_cast<std::uint8_t>(signature_.result);
    computed ? expression(type, 2) : constant(type);
  }

  void memory_access(Op op) {
    const std::uint8_t access = wasm::info(op).access;
    code_.op(op);
    code_.u32(static_cast<std::uint32_t>(std::countr_zero(access)));
    code_.u32(random_.below(1U << random_.below(8)) * access);
  }

  void arguments(const Signature& callee, int depth) {
    for (const auto type : callee.params) expression(type, depth);
  }

  // Calls functions before this one, most often near ones. False: there are none yet.
  const Signature* call(int depth) {
    if (plan_.types.empty()) return nullptr;
    const std::size_t back =
        1 + random_.below(random_.chance(70) ? std::min<std::size_t>(plan_.types.size(), 50) : plan_.types.size());
    const auto callee = static_cast<std::uint32_t>(plan_.types.size() - back);
    const Signature& signature = plan_.signatures[plan_.types[callee]];
    arguments(signature, depth);
    code_.op(Op::call);
    code_.u32(callee);
    return &signature;
  }

  const Signature& call_indirect(int depth) {
    const std::uint32_t type = random_.below(plan_.signatures.size());
    arguments(plan_.signatures[type], depth);
    expression(0, depth);
    code_.op(Op::call_indirect);
    code_.u32(type);
    code_.u32(0);
    return plan_.signatures[type];
  }

  void expression(std::uint8_t type, int depth) {
    const std::uint32_t dice = depth <= 0 ? random_.below(60) : random_.below(100);
    if (dice < 42) {
      get_local(some_local(type));
    } else if (dice < 56) {
      constant(type);
    } else if (dice < 60) {
      code_.op(Op::global_get);
      code_.u32(type * 2U + random_.below(2));
    } else if (dice < 72) {
      expression(0, depth - 1);
      const auto& loads = operations().loads[type];
      memory_access(loads[random_.chance(60) ? 0 : random_.below(loads.size())]);
    } else if (dice < 97) {
      const auto& all = operations().computing[type];
      const Op op = all[random_.below(all.size())];
      const std::string_view operands = wasm::info(op).signature;
      for (std::size_t i = 0; operands[i] != ':'; i++) {
        expression(static_cast<std::uint8_t>(kTypes.find(operands[i])), depth - 1);
      }
      code_.op(op);
    } else {
      expression(type, depth - 1);
      expression(type, depth - 1);
      expression(0, depth - 1);
      code_.op(Op::select);
    }
  }

  // A label to branch to, inside of the function's own blocks.
  std::uint32_t some_label() { return random_.below(labels_.size()); }

  void statements(int depth) {
    for (std::uint32_t count = 1 + random_.below(4); count > 0; count--) statement(depth + 1);
  }

  void assign(std::uint8_t type) {
    code_.op(Op::local_set);
    code_.u32(some_local(type));
  }

  void store_result(const Signature& callee) {
    if (callee.result < 0) return;
    if (random_.chance(60)) {
      assign(static_cast<std::uint8_t>(callee.result));
    } else {
      code_.op(Op::drop);
    }
  }

  void statement(int depth) {
    const std::uint32_t dice = depth >= 6 ? random_.below(66) : random_.below(100);
    const std::uint8_t type = some_type();
    if (dice < 34) {
      expression(type, 3);
      assign(type);
    } else if (dice < 50) {
      expression(0, 2);
      expression(type, 2);
      const auto& stores = operations().stores[type];
      memory_access(stores[random_.chance(70) ? 0 : random_.below(stores.size())]);
    } else if (dice < 61) {
      if (const Signature* callee = call(2)) store_result(*callee);
    } else if (dice < 63) {
      store_result(call_indirect(2));
    } else if (dice < 66) {
      expression(type, 2);
      code_.op(Op::global_set);
      code_.u32(type * 2U + random_.below(2));
    } else if (dice < 78) {
      expression(0, 3);
      begin(Op::if_);
      statements(depth);
      if (random_.chance(35)) {
        code_.op(Op::else_);
        statements(depth);
      }
      finish();
    } else if (dice < 89) {
      begin(Op::block);
      statements(depth);
      expression(0, 3);
      code_.op(Op::br_if);
      code_.u32(some_label());
      statements(depth);
      finish();
    } else if (dice < 95) {
      begin(Op::loop);
      statements(depth);
      expression(0, 3);
      code_.op(Op::br_if);
      code_.u32(0);
      finish();
    } else if (dice < 98) {
      const std::uint32_t cases = 2 + random_.below(14);
      for (std::uint32_t i = 0; i <= cases; i++) begin(Op::block);
      expression(0, 2);
      code_.op(Op::br_table);
      code_.u32(cases);
      for (std::uint32_t i = 0; i <= cases; i++) code_.u32(i);
      for (std::uint32_t i = 0; i <= cases; i++) {
        finish();
        expression(type, 1);
        assign(type);
        if (random_.chance(70) && !labels_.empty()) {
          code_.op(Op::br);
          code_.u32(some_label());
        }
      }
    } else {
      expression(0, 2);
      begin(Op::if_);
      return_value(true);
      code_.op(Op::return_);
      finish();
    }
  }

  Random& random_;
  const Plan& plan_;
  const Signature& signature_;
  std::array<std::vector<std::uint32_t>, 4> locals_;
  std::uint32_t local_count_ = 0;
  std::vector<Op> labels_;
  ByteWriter code_;
};

class ModuleGenerator {
 public:
  explicit ModuleGenerator(std::uint64_t size) : size_(size), random_(size) {}

  GeneratedModule generate() {
    for (int i = 0; i < 24; i++) add_signature();
    ByteWriter bodies;
    // Half of the functions are short and most of the code is in long ones, as in real modules.
    const std::uint64_t wanted = size_ * 85 / 100;
    do {
      const std::uint32_t type = random_.below(plan_.signatures.size());
      std::size_t length = std::size_t{16} << random_.below(7);
      length += random_.below(length);
      if (wanted > 1'000'000 && random_.below(500) == 0) length = 20'000 + random_.below(40'000);
      bodies.append(FunctionGenerator(random_, plan_, plan_.signatures[type]).generate(length));
      plan_.types.push_back(type);
    } while (bodies.size() < wanted);
    const std::uint64_t functions = plan_.types.size();
    const std::uint32_t entry = add_visitors(bodies);

    ByteWriter out;
    out.append(format::kMagic);
    out.fixed32(format::kModuleVersion);
    section(out, format::kType, types());
    section(out, format::kFunction, function_types());
    section(out, format::kTable, table());
    section(out, format::kMemory, memory());
    section(out, format::kGlobal, globals());
    section(out, format::kExport, exports(entry));
    section(out, format::kElement, elements(functions));
    ByteWriter code;
    code.u64(plan_.types.size());
    code.append(bodies);
    section(out, format::kCode, code);
    if (out.size() + 20 < size_) section(out, format::kData, data(size_ - out.size() - 10));
    return {out.take(), plan_.types.size(), code.size()};
  }

 private:
  static void section(ByteWriter& out, std::uint8_t id, const ByteWriter& contents) {
    out.u8(id);
    out.sized(contents);
  }

  void add_signature() {
    Signature signature;
    signature.params.push_back(0);
    for (std::uint32_t more = random_.below(5); more > 0; more--) {
      signature.params.push_back(random_.chance(75) ? 0 : static_cast<std::uint8_t>(1 + random_.below(3)));
    }
    if (random_.chance(60)) {
      signature.result = random_.chance(80) ? 0 : static_cast<int>(1 + random_.below(3));
    }
    plan_.signatures.push_back(std::move(signature));
  }

  // Functions that call all others with zeros, and the last one, which calls them; its index.
  std::uint32_t add_visitors(ByteWriter& bodies) {
    const auto type = static_cast<std::uint32_t>(plan_.signatures.size());
    plan_.signatures.push_back({});
    const auto visited = static_cast<std::uint32_t>(plan_.types.size());
    ByteWriter all;
    all.u32(0);
    for (std::uint32_t first = 0; first < visited; first += kCallsPerVisitor) {
      ByteWriter code;
      code.u32(0);
      for (std::uint32_t i = first; i < std::min(first + kCallsPerVisitor, visited); i++) visit(code, i);
      code.op(Op::end);
      all.op(Op::call);
      all.u32(static_cast<std::uint32_t>(plan_.types.size()));
      plan_.types.push_back(type);
      bodies.sized(code);
    }
    all.op(Op::end);
    bodies.sized(all);
    plan_.types.push_back(type);
    return static_cast<std::uint32_t>(plan_.types.size() - 1);
  }

  void visit(ByteWriter& code, std::uint32_t function) {
    static constexpr std::array<Op, 4> kConstants = {Op::i32_const, Op::i64_const, Op::f32_const, Op::f64_const};
    const Signature& signature = plan_.signatures[plan_.types[function]];
    for (const auto type : signature.params) {
      code.op(kConstants[type]);
      if (type == 2) {
        code.fixed32(0);
      } else if (type == 3) {
        code.fixed64(0);
      } else {
        code.s64(0);
      }
    }
    code.op(Op::call);
    code.u32(function);
    if (signature.result >= 0) code.op(Op::drop);
  }

  ByteWriter types() const {
    ByteWriter out;
    out.u64(plan_.signatures.size());
    for (const Signature& signature : plan_.signatures) {
      out.u8(format::kFuncByte);
      out.u64(signature.params.size());
      for (const auto type : signature.params) out.u8(kTypeBytes[type]);
      out.u32(signature.result >= 0 ? 1 : 0);
      if (signature.result >= 0) out.u8(kTypeBytes[static_cast<std::size_t>(signature.result)]);
    }
    return out;
  }

  ByteWriter function_types() const {
    ByteWriter out;
    out.u64(plan_.types.size());
    for (const auto type : plan_.types) out.u32(type);
    return out;
  }

  static ByteWriter table() {
    ByteWriter out;
    out.u32(1);
    out.u8(kFuncRefByte);
    out.u8(format::kHasMax);
    out.u32(kTableSize);
    out.u32(kTableSize);
    return out;
  }

  ByteWriter memory() const {
    ByteWriter out;
    out.u32(1);
    out.u8(0);
    out.u64(kPages + size_ / 65536);
    return out;
  }

  static ByteWriter globals() {
    ByteWriter out;
    out.u32(kGlobals);
    for (std::uint32_t i = 0; i < kGlobals; i++) {
      out.u8(kTypeBytes[i / 2]);
      out.u8(1);
      if (i / 2 == 0) {
        out.op(Op::i32_const);
        out.s64(65536);
      } else if (i / 2 == 1) {
        out.op(Op::i64_const);
        out.s64(0);
      } else if (i / 2 == 2) {
        out.op(Op::f32_const);
        out.fixed32(0);
      } else {
        out.op(Op::f64_const);
        out.fixed64(0);
      }
      out.op(Op::end);
    }
    return out;
  }

  static ByteWriter exports(std::uint32_t entry) {
    ByteWriter out;
    out.u32(2);
    out.name("memory");
    out.u8(2);
    out.u32(0);
    out.name("_start");
    out.u8(0);
    out.u32(entry);
    return out;
  }

  ByteWriter elements(std::uint64_t functions) {
    ByteWriter out;
    out.u32(1);
    out.u32(0);
    out.op(Op::i32_const);
    out.s64(0);
    out.op(Op::end);
    out.u32(kTableSize);
    for (std::uint32_t i = 0; i < kTableSize; i++) out.u32(random_.below(functions));
    return out;
  }

  // Text-like, in one segment that fills the module up.
  ByteWriter data(std::uint64_t size) {
    ByteWriter out;
    out.u32(1);
    out.u32(0);
    out.op(Op::i32_const);
    out.s64(1024);
    out.op(Op::end);
    out.u64(size);
    for (std::uint64_t i = 0; i < size; i++) out.u8(static_cast<std::uint8_t>("etaoin shrdlu,.0"[random_.below(16)]));
    return out;
  }

  std::uint64_t size_;
  Random random_;
  Plan plan_;
};

}  // namespace

GeneratedModule generate_module(std::uint64_t size) { return ModuleGenerator(size).generate(); }

}  // namespace wasi::bench
