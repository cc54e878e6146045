#include "interp/vector_forms.h"

#include <fmt/format.h>

#include <cstring>
#include <iterator>

#include "runtime/memory.h"

namespace wasi::interp::test {
namespace {

using wasi::test::Bytes;
using wasi::test::join;
using wasi::test::leb;
using wasi::test::section;
using wasi::test::sized;

enum class Source : std::uint8_t { local, computed, constant };
constexpr Source kSources[] = {Source::local, Source::computed, Source::constant};

constexpr std::uint8_t kLane = 1;
constexpr std::uint8_t kOffset = 3;
constexpr std::uint32_t kMemoryBytes = 65536;
// Where the memories hold something, and what is compared after a store.
constexpr std::uint32_t kPatternBytes = 64;

std::uint8_t byte_of_type(char letter) {
  return letter == 'v' ? 0x7B : letter == 'd' ? 0x7C : letter == 'f' ? 0x7D : letter == 'l' ? 0x7E : 0x7F;
}

template <class T>
Bytes bytes_of(const T& value) {
  Bytes bytes(sizeof value);
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

// A value of the `index`-th operand, in slots. Addresses and counts are small.
Values value_of(char letter, std::size_t index, std::uint32_t small) {
  const std::uint64_t vectors[][2] = {{0x8F00'7F80'01FF'1234, 0x7FC0'0000'BF80'0000},
                                      {0x0011'2233'4455'6677, 0x8010'0F1F'FFFF'0001},
                                      {0xFFFF'FFFF'0000'0000, 0x5A5A'A5A5'0F0F'F0F0}};
  switch (letter) {
    case 'v':
      return {vectors[index][0], vectors[index][1]};
    case 'l':
      return {0xFEDC'BA98'7654'3210};
    case 'd':
      return {0xC008'0000'0000'0000};
    case 'f':
      return {0xC040'0000};
    default:
      return {small};
  }
}

Bytes constant_of(char letter, const Values& value) {
  switch (letter) {
    case 'v':
      return join(Bytes{0xFD, 0x0C}, bytes_of(value[0]), bytes_of(value[1]));
    case 'l':
      return join(Bytes{0x42}, wasi::test::signed_leb(static_cast<std::int64_t>(value[0])));
    case 'd':
      return join(Bytes{0x44}, bytes_of(value[0]));
    case 'f':
      return join(Bytes{0x43}, bytes_of(static_cast<std::uint32_t>(value[0])));
    default:
      return join(Bytes{0x41}, wasi::test::signed_leb(static_cast<std::int32_t>(value[0])));
  }
}

// An address of 64 bits; the parameter has 32.
Bytes wide_address(Source source, std::uint32_t small) {
  if (source == Source::constant) return join(Bytes{0x42}, wasi::test::signed_leb(small));
  const Bytes extended = {0x20, 0, 0xAD};
  return source == Source::local ? extended : join(extended, Bytes{0x42, 0, 0x7C});
}

Bytes operand_of(char letter, std::size_t index, Source source, std::uint32_t small) {
  if (source == Source::constant) return constant_of(letter, value_of(letter, index, small));
  Bytes get = {0x20, static_cast<std::uint8_t>(index)};
  if (source == Source::local) return get;
  switch (letter) {
    case 'v':
      return join(get, Bytes{0xFD, 0x4D, 0xFD, 0x4D});  // not, not
    case 'l':
      return join(get, Bytes{0x42, 0, 0x7C});  // plus 0
    case 'd':
      return join(get, get, Bytes{0xA6});  // with its own sign
    case 'f':
      return join(get, get, Bytes{0x98});
    default:
      return join(get, Bytes{0x41, 0, 0x6A});
  }
}

Bytes instruction(const wasm::OpInfo& row, std::uint8_t memory) {
  Bytes code = join(Bytes{row.prefix}, leb(row.code));
  const Bytes memarg = memory == 0 ? Bytes{0, kOffset} : Bytes{0x40, memory, kOffset};
  switch (row.immediate) {
    case wasm::ImmediateKind::memarg:
      return join(code, memarg);
    case wasm::ImmediateKind::memarg_lane:
      return join(code, memarg, Bytes{kLane});
    case wasm::ImmediateKind::lane:
      return join(code, Bytes{kLane});
    case wasm::ImmediateKind::shuffle:
      return join(code, Bytes{31, 0, 16, 15, 3, 4, 5, 20, 21, 22, 9, 9, 9, 1, 30, 2});
    case wasm::ImmediateKind::v128:
      return join(code, Bytes{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255});
    default:
      return code;
  }
}

Bytes list(const std::vector<Bytes>& entries) {
  Bytes bytes = leb(entries.size());
  for (const Bytes& entry : entries) bytes.insert(bytes.end(), entry.begin(), entry.end());
  return bytes;
}

// Functions of a module, as they are made.
struct Functions {
  std::vector<Bytes> types;
  std::vector<Bytes> functions;
  std::vector<Bytes> exports;
  std::vector<Bytes> bodies;

  // Of the type that will be added next.
  void add(const Bytes& body, VectorCase& to) {
    const std::string name = fmt::format("f{}", functions.size());
    bodies.push_back(sized(join(body, Bytes{0x0B})));
    exports.push_back(join(wasi::test::name(name), Bytes{0}, leb(functions.size())));
    functions.push_back(leb(types.size()));
    to.functions.push_back(name);
  }
};

// Locals of the instruction's parameters, used often enough for registers.
void add_forms_in_registers(Functions& to, VectorCase& one, const wasm::OpInfo& row, bool is_wide, std::uint8_t memory,
                            std::uint32_t small) {
  const auto colon = row.signature.find(':');
  const std::string_view operands = row.signature.substr(0, colon);
  const std::string_view results = row.signature.substr(colon + 1);
  Bytes uses;
  Bytes loads;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    for (int k = 0; k < 4; ++k) uses = join(uses, Bytes{0x20, static_cast<std::uint8_t>(i), 0x1A});
    loads = join(loads, is_wide && operands[i] == 'a' ? wide_address(Source::local, small)
                                                      : operand_of(operands[i], i, Source::local, small));
  }
  const Bytes whole = join(loads, instruction(row, memory));
  if (results.empty()) return to.add(join(Bytes{0}, uses, whole), one);
  // Into a local of its own; the operands are still what they were: computed once more, it is the same.
  const auto own = static_cast<std::uint8_t>(operands.size());
  Bytes uses_of_own;
  for (int k = 0; k < 4; ++k) uses_of_own = join(uses_of_own, Bytes{0x20, own, 0x1A});
  const Bytes one_local = {1, 1, byte_of_type(results[0])};
  to.add(join(one_local, uses, uses_of_own, whole, Bytes{0x21, own, 0x20, own}), one);
  to.add(join(one_local, uses, uses_of_own, whole, Bytes{0x21, own}, whole), one);
  to.add(join(Bytes{0}, uses, whole), one);
  // Into an operand's local; an entry of the stack that names it keeps the value.
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const auto local = static_cast<std::uint8_t>(i);
    if (operands[i] != results[0]) continue;
    to.add(join(Bytes{0}, uses, whole, Bytes{0x21, local, 0x20, local}), one);
    to.add(join(one_local, uses, loads, loads, instruction(row, memory), Bytes{0x21, local}, instruction(row, memory)),
           one);
  }
  // As a condition: the number itself, or 0.
  if (results == "i") {
    to.add(join(Bytes{0}, uses, whole, Bytes{0x04, 0x7F}, whole, Bytes{0x05, 0x41, 0, 0x0B}), one);
    to.add(join(Bytes{0}, uses, whole, Bytes{0x45, 0x04, 0x7F, 0x41, 0, 0x05}, whole, Bytes{0x0B}), one);
  }
}

}  // namespace

VectorForms make_vector_forms(bool is_wide, VectorUses uses) {
  VectorForms forms;
  const std::uint8_t limits = is_wide ? 4 : 0;
  Functions made;
  for (const wasm::OpInfo& row : wasm::kOps) {
    if (row.prefix != wasm::kPrefixSimd) continue;
    const auto colon = row.signature.find(':');
    const std::string_view operands = row.signature.substr(0, colon);
    const std::string_view results = row.signature.substr(colon + 1);
    const bool has_small = operands.find_first_of("ai") != std::string_view::npos;
    const std::vector<std::uint32_t> smalls =
        row.access != 0 ? std::vector<std::uint32_t>{0, 5, kMemoryBytes - row.access - kOffset,
                                                     kMemoryBytes - row.access - kOffset + 1, 0xFFFF'FFFF}
        : has_small     ? std::vector<std::uint32_t>{0, 5, 0xFFFF'FFFF}
                        : std::vector<std::uint32_t>{0};
    for (const std::uint32_t small : smalls) {
      VectorCase one{&row, {}, {}};
      Bytes parameters = leb(operands.size());
      for (std::size_t i = 0; i < operands.size(); ++i) {
        parameters.push_back(byte_of_type(operands[i]));
        const Values value = value_of(operands[i], i, small);
        one.arguments.insert(one.arguments.end(), value.begin(), value.end());
      }
      one.is_inside = row.access == 0 || one.arguments[0] + kOffset + row.access <= kMemoryBytes;
      Bytes result = leb(results.size());
      for (const char letter : results) result.push_back(byte_of_type(letter));
      for (std::uint8_t memory = 0; memory < (row.access != 0 ? 2 : 1); ++memory) {
        for (const Source source : kSources) {
          Bytes body = {0};
          for (std::size_t i = 0; i < operands.size(); ++i) {
            body = join(body, is_wide && operands[i] == 'a' ? wide_address(source, small)
                                                            : operand_of(operands[i], i, source, small));
          }
          made.add(join(body, instruction(row, memory)), one);
        }
        if (uses == VectorUses::often) add_forms_in_registers(made, one, row, is_wide, memory, small);
      }
      made.types.push_back(join(Bytes{0x60}, parameters, result));
      forms.cases.push_back(std::move(one));
    }
  }
  forms.binary = wasi::test::module(
      {section(wasi::test::kTypeSection, list(made.types)), section(wasi::test::kFunctionSection, list(made.functions)),
       section(wasi::test::kMemorySection, list({{limits, 1}, {limits, 1}})),
       section(wasi::test::kExportSection, list(made.exports)), section(wasi::test::kCodeSection, list(made.bodies))});
  return forms;
}

// What a call gives, and what it leaves in the memory that is not all zero.
std::string vector_outcome(Machine& machine, const std::string& function, const Values& arguments) {
  std::uint8_t* memories[2];
  for (std::uint32_t i = 0; i < 2; ++i) {
    memories[i] = machine.newest().memory(i)->view()->base;
    for (std::uint32_t k = 0; k < kPatternBytes; ++k) {
      memories[i][k] = static_cast<std::uint8_t>(k * 37 + 129);
      memories[i][kMemoryBytes - 1 - k] = static_cast<std::uint8_t>(k * 59 + 7);
    }
  }
  const auto results = machine.call(function, arguments);
  if (!results) return results.error().message;
  std::string text;
  for (const std::uint64_t value : *results) fmt::format_to(std::back_inserter(text), "{:016x} ", value);
  if (!results->empty()) return text;
  // One of the two memories is as it was.
  for (std::uint32_t k = 0; k < kPatternBytes; ++k) {
    for (const std::uint32_t at : {k, kMemoryBytes - 1 - k}) {
      const unsigned was = at == k ? (k * 37 + 129) & 255 : (k * 59 + 7) & 255;
      for (const std::uint8_t* memory : memories) {
        if (memory[at] != was) fmt::format_to(std::back_inserter(text), "{}:{:02x} ", at, memory[at]);
      }
    }
  }
  return text;
}

}  // namespace wasi::interp::test
