#include "support/cost_modules.h"

#include <fmt/format.h>

#include <bit>

#include "support/sanitizers.h"
#include "wasm/opcodes.h"

namespace wasi::test {

using namespace wasi::test;

namespace {

constexpr std::uint32_t kMany = 1000;
#if defined(WASI_TEST_SANITIZER)
constexpr std::uint32_t kRepeats = 2'000;
#else
constexpr std::uint32_t kRepeats = 20'000;
#endif
constexpr std::uint32_t kLongRepeats = kRepeats / 400;  // of what is many instructions
constexpr std::uint32_t kTableRepeats =
    kRepeats / 40;  // of each instruction of the table: they are many, and much alike

Bytes repeat(const Bytes& unit, std::uint32_t count) {
  Bytes bytes;
  bytes.reserve(unit.size() * count);
  for (std::uint32_t i = 0; i < count; ++i) bytes.insert(bytes.end(), unit.begin(), unit.end());
  return bytes;
}

std::uint8_t type_byte(char letter) {
  switch (letter) {
    case 'l':
      return 0x7E;
    case 'f':
      return 0x7D;
    case 'd':
      return 0x7C;
    case 'v':
      return 0x7B;
    case 'r':
      return 0x6E;  // anyref
    case 'u':
      return 0x70;  // funcref
    case 'n':
      return 0x69;  // exnref
    default:
      return 0x7F;
  }
}

Bytes types_of(std::string_view letters) {
  Bytes bytes = leb(letters.size());
  for (const char letter : letters) bytes.push_back(type_byte(letter));
  return bytes;
}

Bytes func_type(std::string_view params, std::string_view results) {
  return join(Bytes{0x60}, types_of(params), types_of(results));
}

std::string many(std::string_view letters, std::size_t count = kMany) {
  std::string all;
  while (all.size() + letters.size() <= count) all += letters;
  return all;
}

Bytes list(const std::vector<Bytes>& entries) {
  Bytes bytes = leb(entries.size());
  for (const Bytes& entry : entries) bytes.insert(bytes.end(), entry.begin(), entry.end());
  return bytes;
}

Bytes call(std::uint32_t function) { return join(Bytes{0x10}, leb(function)); }
// block (02), loop (03), if (04), try (06) of a type with an index.
Bytes open(std::uint8_t op, std::uint32_t type) { return join(Bytes{op}, leb(type)); }

const Bytes kEnd = hex("0b");
const Bytes kDrop = hex("1a");
const Bytes kGet = hex("20 00");  // local 0: i32
const Bytes kUnreachable = hex("00");

// Locals of every tested function: i32, i32, i64, f32, f64, v128, anyref, funcref, exnref.
const Bytes kLocals = hex("08 02 7f 01 7e 01 7d 01 7c 01 7b 01 6e 01 70 01 69");
std::uint8_t local_of(char letter) {
  const auto at = std::string_view("i.lfdvrun").find(letter);
  return at == std::string_view::npos ? 0 : static_cast<std::uint8_t>(at);
}

// Types with fixed indices.
enum Type : std::uint32_t {
  kNone,
  kMany32,
  kTakeMany,
  kKeepMany,
  kStruct,
  kArray,
  kTwo,
  kOne,
  kTake,
  kLargeStruct,
  kThree,
  kPackedStruct,
  kPackedArray,
  kFuncArray
};

}  // namespace

CostModules::CostModules(std::uint32_t seed) : state_(seed) {
  type(func_type("", ""));
  type(func_type("", many("i")));
  type(func_type(many("i"), ""));
  type(func_type(many("i"), many("i")));
  type(hex("5f 02 7f 01 7e 01"));
  type(hex("5e 7f 01"));
  type(func_type("", "ii"));
  type(func_type("", "i"));
  type(func_type("i", ""));
  type(join(hex("5f"), leb(kMany), repeat(hex("7f 01"), kMany)));
  type(func_type("", "iii"));
  type(hex("5f 01 78 01"));
  type(hex("5e 78 01"));
  type(hex("5e 70 01"));
  add_table_rows();
  add_branches();
  add_blocks();
  add_calls();
  add_exceptions();
  add_values();
  add_aggregates();
  add_bulk();
}

std::uint64_t CostModules::random() {
  state_ = state_ * 6364136223846793005U + 1442695040888963407U;
  return state_ >> 33;
}

std::uint32_t CostModules::type(const Bytes& definition) {
  const auto [entry, is_new] = type_indices_.try_emplace(definition, static_cast<std::uint32_t>(types_.size()));
  if (is_new) types_.push_back(definition);
  return entry->second;
}

std::uint32_t CostModules::function(std::uint32_t type) {
  functions_.push_back(type);
  return static_cast<std::uint32_t>(functions_.size());
}

std::uint32_t CostModules::source(std::string_view types) {
  const std::string all = many(types);
  const auto found = sources_.find(all);
  if (found != sources_.end()) return found->second;
  const std::uint32_t index = function(type(func_type("", all)));
  sources_.emplace(all, index);
  return index;
}

void CostModules::add(std::string name, const Bytes& before, const Bytes& unit, const Bytes& after,
                      std::uint32_t type) {
  // Long units are several instructions, and what is among many values looks at each of them.
  const bool has_many = before.size() >= kMany || after.size() >= kMany || type == kMany32;
  const std::uint32_t repeats = unit.size() >= 100 ? kLongRepeats : has_many ? kRepeats / 10 : kRepeats;
  add(std::move(name), repeats, [=](std::uint32_t count) { return join(before, repeat(unit, count), after); }, type);
}

void CostModules::add(std::string name, std::uint32_t repeats, std::function<Bytes(std::uint32_t)> body,
                      std::uint32_t type) {
  constructs_.push_back({std::move(name), repeats, std::move(body), type});
}

// Instructions whose operands the table tells: with operands in slots, in locals, as constants, and each upon the last
// one's result.
void CostModules::add_table_rows() {
  using wasm::ImmediateKind;
  for (const wasm::OpInfo& row : wasm::kOps) {
    const auto colon = row.signature.find(':');
    if (colon == row.signature.npos) continue;
    std::string operands(row.signature.substr(0, colon));
    const std::string_view results = row.signature.substr(colon + 1);
    for (char& letter : operands) letter = letter == 'a' ? 'i' : letter;
    Bytes op = row.prefix == 0 ? leb(row.code) : join(Bytes{row.prefix}, leb(row.code));
    if (row.prefix == 0) op = {static_cast<std::uint8_t>(row.code)};
    switch (row.immediate) {
      case ImmediateKind::memarg:
      case ImmediateKind::memarg_lane:
        op = join(op, Bytes{static_cast<std::uint8_t>(std::countr_zero(unsigned{row.access}))}, leb(random() % 64));
        if (row.immediate == ImmediateKind::memarg_lane) op.push_back(0);
        break;
      case ImmediateKind::shuffle:
      case ImmediateKind::v128:
        for (int i = 0; i < 16; ++i) op.push_back(static_cast<std::uint8_t>(random() % 16));
        break;
      case ImmediateKind::i32:
      case ImmediateKind::i64:
        op = join(op, signed_leb(static_cast<std::int64_t>(random() % 128) - 64));
        break;
      case ImmediateKind::f32:
      case ImmediateKind::f64:
        for (std::uint8_t i = 0; i < row.access + (row.immediate == ImmediateKind::f32 ? 4 : 8); ++i) {
          op.push_back(static_cast<std::uint8_t>(random()));
        }
        break;
      case ImmediateKind::none:
        break;
      default:  // an index, a lane, a byte that is zero
        op.push_back(0);
        if (row.immediate == ImmediateKind::memory_memory || row.immediate == ImmediateKind::data_memory)
          op.push_back(0);
        break;
    }
    const Bytes drops = repeat(kDrop, static_cast<std::uint32_t>(results.size()));
    const std::string name(row.text);
    const auto row_of = [&](std::string_view how, const Bytes& unit, std::uint32_t per_unit) {
      add(name + std::string(how), std::max(1U, kTableRepeats / per_unit),
          [=](std::uint32_t count) { return repeat(unit, count); });
    };
    if (operands.empty()) {
      row_of(", dropped", join(op, drops), 1);
      continue;
    }
    const auto times = kMany / static_cast<std::uint32_t>(operands.size());
    row_of(" of slots", join(call(source(operands)), repeat(join(op, drops), times)), times);
    Bytes locals;
    Bytes constants;
    for (const char letter : operands) {
      locals = join(locals, Bytes{0x20, local_of(letter)});
      constants = join(constants, letter == 'l' ? join(hex("42"), signed_leb(static_cast<std::int64_t>(random()) << 20))
                                  : letter == 'f' ? hex("43 01 02 03 c4")
                                  : letter == 'd' ? hex("44 01 02 03 04 05 06 07 c8")
                                  : letter == 'v' ? hex("fd 0c 00010203 04050607 08090a0b 0c0d0e0f")
                                                  : hex("41 07"));
    }
    row_of(" of locals", join(locals, op, drops), 1);
    row_of(" of constants", join(constants, op, drops), 1);
    if (results.size() == 1 && operands == std::string(operands.size(), results[0])) {
      const std::uint32_t taken = static_cast<std::uint32_t>(operands.size()) - 1;
      const std::uint32_t values = times * (taken + 1);
      const std::uint32_t chained = taken == 0 ? 2 * kMany : (values - 1) / taken;
      row_of(", chained", join(call(source(operands)), repeat(op, chained), repeat(kDrop, values - chained * taken)),
             chained);
    }
  }
}

void CostModules::add_branches() {
  const Bytes label_of_many = open(0x02, kMany32);
  const Bytes values = repeat(kGet, kMany);
  const Bytes leave = join(hex("0c 00"), kEnd, repeat(kDrop, kMany));
  add("br_if with many values to lower slots", join(label_of_many, kGet, values), join(kGet, hex("0d 00")), leave);
  add("br_if with many values that are in place", join(label_of_many, values), join(kGet, hex("0d 00")), leave);
  add("br_if with many values to the function's end", join(kGet, values), join(kGet, hex("0d 00")), hex("0f"), kMany32);
  const Bytes many32 = call(source("i"));
  const auto conditions = [&](std::uint32_t values_left) {
    return join(many32, repeat(hex("0d 00"), kMany - values_left), repeat(kDrop, values_left));
  };
  add("br_if of slots", open(0x02, kNone), conditions(0), kEnd);
  add("br_if of slots with a value", join(open(0x02, kOne), kGet, kGet), conditions(1), hex("0c 00 0b 1a"));
  add("br_if of slots with two values", join(open(0x02, kTwo), kGet, kGet, kGet), conditions(2), hex("0c 00 0b 1a 1a"));
  add("br_if of slots with three values", join(open(0x02, kThree), kGet, kGet, kGet, kGet), conditions(3),
      hex("0c 00 0b 1a 1a 1a"));
  add("br_if with a large constant", join(hex("02 7e"), hex("42 80 80 80 80 80 80 01 42 80 80 80 80 80 80 01")),
      join(kGet, hex("0d 00")), hex("0c 00 0b 1a"));
  add("br_if to the function's end", {}, conditions(0), {});
  add("br_if to the function's end with a value", kGet, conditions(1), hex("0f"), kOne);
  add("br_if to the function's end with two values", join(kGet, kGet, kGet), conditions(2), hex("0f"), kTwo);
  add("br_if back", open(0x03, kNone), conditions(0), kEnd);
  add("br_if back of floats", open(0x03, kNone), join(call(source("d")), repeat(hex("63 0d 00"), kMany / 2)), kEnd);
  add("br_if back of a comparison with a constant", open(0x03, kNone), hex("20 00 41 07 48 0d 00"), kEnd);
  add("br_on_null", join(open(0x02, kNone), hex("d0 6e")), hex("d5 00"), hex("1a 0b"));
  add("br_on_null with a value", join(open(0x02, kOne), kGet, kGet, hex("d0 6e")), hex("d5 00"), hex("1a 0c 00 0b 1a"));
  add("br_on_null with many values", join(label_of_many, kGet, values, hex("d0 6e")), hex("d5 00"), join(kDrop, leave));
  const Bytes non_null = hex("02 64 6e");
  add("br_on_non_null", join(non_null, kGet), hex("20 06 d6 00"), join(kUnreachable, kEnd, kDrop));
  add("br_on_non_null of slots", join(non_null, kGet), join(call(source("r")), repeat(hex("d6 00"), kMany)),
      join(kUnreachable, kEnd, kDrop));
  add("br_on_cast", join(hex("02 63 6c"), kGet, hex("20 06")), hex("fb 18 03 00 6e 6c"), hex("00 0b 1a"));
  add("br_on_cast_fail", join(hex("02 6e"), kGet, hex("20 06")), hex("fb 19 03 00 6e 6e"), hex("0c 00 0b 1a"));
  add("br", open(0x02, kNone), hex("02 40 0c 01 0b"), kEnd);
  add("br with many values", join(label_of_many, kGet), join(open(0x02, kNone), call(source("i")), hex("0c 01"), kEnd),
      join(kUnreachable, kEnd, repeat(kDrop, kMany)));
  add("br with many parameters", join(label_of_many, values), join(open(0x02, kKeepMany), hex("0c 00 0b")),
      join(kEnd, repeat(kDrop, kMany)));
  add("return with many values", {}, join(open(0x02, kNone), call(source("i")), hex("0f 0b")), kUnreachable, kMany32);
  add("return with two values", {}, hex("02 40 20 00 20 00 0f 0b"), kUnreachable, kTwo);
  add("return with a value", {}, hex("02 40 20 00 0f 0b"), kUnreachable, kOne);
  add("br_table with many equal labels", kRepeats, [](std::uint32_t count) {
    return join(open(0x02, kOne), kGet, kGet, kGet, hex("0e"), leb(count), repeat(hex("00"), count), hex("00 0b 1a"));
  });
  add("br_table with many labels", kRepeats, [](std::uint32_t count) {
    Bytes body = repeat(hex("02 40"), count);
    body = join(body, kGet, hex("0e"), leb(count - 1));
    for (std::uint32_t i = 0; i < count; ++i) {
      const Bytes label = leb(i);
      body.insert(body.end(), label.begin(), label.end());
    }
    return join(body, repeat(kEnd, count));
  });
  // Each table needs a way of its own to each label.
  for (const auto& [name, type, arity] :
       {std::tuple{"a value", kOne, 1U}, {"two values", kTwo, 2U}, {"three values", kThree, 3U}}) {
    Bytes labels = leb(99);
    for (std::uint8_t i = 1; i <= 100; ++i) labels.push_back(i);
    const Bytes unit = join(hex("02 40"), repeat(kGet, arity + 1), hex("0e"), labels, kEnd);
    const Bytes before = repeat(join(open(0x02, type), kGet), 100);
    const Bytes after = repeat(join(kUnreachable, kEnd, repeat(kDrop, arity)), 100);
    add(fmt::format("br_tables with {} to many labels", name), 2000,
        [=](std::uint32_t count) { return join(before, repeat(unit, count), after); });
  }
  Bytes loops = leb(99);
  for (std::uint8_t i = 1; i <= 100; ++i) loops.push_back(i);
  add("br_tables to many loops", 2000, [=](std::uint32_t count) {
    return join(repeat(hex("03 40"), 100), repeat(join(hex("02 40 20 00 0e"), loops, kEnd), count), repeat(kEnd, 100));
  });
  add("br_table with one label", {}, hex("02 40 20 00 0e 00 00 0b"), {});
}

void CostModules::add_blocks() {
  add("block", {}, hex("02 40 0b"), {});
  add("block with operands below", repeat(kGet, kMany), hex("02 40 0b"), repeat(kDrop, kMany));
  add("block above a local", {}, hex("20 00 02 40 0b 1a"), {});
  add("block above a constant", {}, hex("42 80 80 80 80 80 01 02 40 0b 1a"), {});
  add("block that keeps many", repeat(kGet, kMany), join(open(0x02, kKeepMany), kEnd), repeat(kDrop, kMany));
  add("loop", {}, hex("03 40 0b"), {});
  add("if", {}, hex("20 00 04 40 0b"), {});
  add("if and else of slots", {}, join(call(source("i")), repeat(hex("04 40 05 0b"), kMany)), {});
  add("if with results", {}, hex("20 00 04 7f 41 01 05 41 02 0b 1a"), {});
  add("if that keeps many", repeat(kGet, kMany), join(kGet, open(0x04, kKeepMany), hex("05 0b")), repeat(kDrop, kMany));
  add("unreachable", {}, hex("02 40 00 0b"), {});
  add("instructions that are not reached", kUnreachable,
      join(call(source("i")), hex("0d 00 02 40 0b"), repeat(kDrop, kMany - 1)), {});
  add("nop", {}, hex("01"), {});
  for (const auto& [name, opener] :
       {std::pair{"blocks", hex("02 40")}, {"loops", hex("03 40")}, {"ifs", hex("20 00 04 40")}}) {
    add(std::string("nested ") + name, kRepeats,
        [opener = opener](std::uint32_t count) { return join(repeat(opener, count), repeat(kEnd, count)); });
  }
}

void CostModules::add_calls() {
  const std::uint32_t none = function(kNone);
  const std::uint32_t take = function(kTakeMany);
  const std::uint32_t keep = function(kKeepMany);
  const std::uint32_t one = function(kOne);
  const Bytes many32 = call(source("i"));
  add("call", {}, call(none), {});
  add("call with results", {}, join(call(one), kDrop), {});
  add("call above many", repeat(kGet, kMany), call(none), repeat(kDrop, kMany));
  add("call of many to many", many32, call(keep), repeat(kDrop, kMany));
  add("call with many arguments", {}, join(many32, call(take)), {});
  add("call with many locals", {}, join(repeat(kGet, kMany), call(take)), {});
  add("call with many constants", {}, join(repeat(hex("41 7f"), kMany), call(take)), {});
  add("call_indirect", {}, hex("20 00 11 00 00"), {});
  add("call_indirect of slots", {}, join(many32, repeat(hex("11 00 00"), kMany)), {});
  add("call_ref", {}, join(hex("d2 00 14"), leb(kNone)), {});
  add("return_call", {}, join(hex("02 40"), hex("12"), leb(none), kEnd), {});
  add("return_call with many arguments", {}, join(hex("02 40"), many32, hex("12"), leb(take), kEnd), {});
  add("return_call_indirect", {}, hex("02 40 20 00 13 00 00 0b"), {});
  add("return_call_ref", {}, join(hex("02 40 d2 00 15"), leb(kNone), kEnd), {});
}

void CostModules::add_exceptions() {
  add("try_table", {}, hex("1f 40 00 0b"), {});
  add("try_table with a clause", open(0x02, kNone), hex("1f 40 01 02 00 0b"), kEnd);
  // Labels for an i32 and for an exception.
  add("try_table with a tag and the exception", hex("02 7f 02 69"), hex("1f 40 02 00 00 01 03 00 0b"),
      hex("00 0b 1a 41 00 0b 1a"));
  add("try_table with many clauses", kRepeats, [](std::uint32_t count) {
    return join(open(0x02, kNone), hex("1f 40"), leb(count), repeat(hex("02 00"), count), kEnd, kEnd);
  });
  add("try_table with clauses of many values", 10'000, [](std::uint32_t count) {
    return join(open(0x02, kMany32), hex("1f 40"), leb(count), repeat(hex("00 01 00"), count), hex("0b 00 0b"),
                repeat(kDrop, kMany));
  });
  add("nested try_tables", kRepeats,
      [](std::uint32_t count) { return join(repeat(hex("1f 40 01 02 00"), count), repeat(kEnd, count)); });
  add("throw", {}, hex("02 40 20 00 08 00 0b"), {});
  add("throw of many values", {}, join(hex("02 40"), call(source("i")), hex("08 01 0b")), {});
  add("throw_ref", {}, hex("02 40 20 08 0a 0b"), {});
  const std::size_t first_legacy = constructs_.size();
  add("try and catch", {}, hex("06 40 07 00 1a 0b"), {});
  add("try and catch_all", {}, hex("06 40 19 0b"), {});
  add("try, catch and rethrow", {}, hex("06 40 07 00 1a 09 00 0b"), {});
  add("try with many catches", kRepeats,
      [](std::uint32_t count) { return join(hex("06 40"), repeat(hex("07 00 1a"), count), kEnd); });
  add("try and delegate", {}, hex("06 40 18 00"), {});
  add("nested tries and delegates", kRepeats,
      [](std::uint32_t count) { return join(repeat(hex("06 40"), count), repeat(hex("18 00"), count)); });
  add("deep delegates outward", kRepeats, [](std::uint32_t count) {
    return join(repeat(hex("06 40"), count), repeat(join(hex("06 40 18"), leb(count - 1)), count),
                repeat(hex("19 0b"), count));
  });
  add("deep rethrows", 20'000, [](std::uint32_t count) {
    return join(repeat(hex("06 40 19"), count), repeat(join(hex("02 40 09"), leb(count), kEnd), count),
                repeat(kEnd, count));
  });
  for (std::size_t i = first_legacy; i < constructs_.size(); ++i) constructs_[i].is_legacy = true;
}

void CostModules::add_values() {
  const Bytes increment = hex("20 00 41 01 6a 21 00");
  add("local.set beside many names of another local", 20'000, [](std::uint32_t count) {
    return join(repeat(hex("20 01"), count), repeat(hex("20 00 41 01 21 00 1a"), count), repeat(kDrop, count));
  });
  add("local.set of all of its names", 20'000,
      [](std::uint32_t count) { return join(repeat(hex("20 00"), count), hex("41 01 21 00"), repeat(kDrop, count)); });
  add("local.set of two names in turns", 20'000, [](std::uint32_t count) {
    return join(repeat(hex("20 01"), count), repeat(hex("20 00 20 00 20 00 41 01 6a 21 00 1a 1a"), count),
                repeat(kDrop, count));
  });
  add("local.set of a result", {}, increment, {});
  add("local.set of a name below it", {}, join(kGet, increment, kDrop), {});
  add("local.set of slots", {}, join(call(source("i")), repeat(hex("21 00"), kMany)), {});
  add("local.set of vectors", {}, join(call(source("v")), repeat(hex("21 05"), kMany)), {});
  add("local.tee", {}, hex("41 07 22 00 1a"), {});
  add("local.tee of a slot", join(call(source("i"))), hex("22 00"), repeat(kDrop, kMany));
  add("local.get", {}, hex("20 00 1a"), {});
  add("drop", {}, join(call(source("i")), repeat(kDrop, kMany)), {});
  add("global.get", {}, hex("23 00 1a"), {});
  add("global.get of a vector", {}, hex("23 01 1a"), {});
  add("global.set", {}, hex("20 00 24 00"), {});
  add("global.set of slots", {}, join(call(source("i")), repeat(hex("24 00"), kMany)), {});
  add("global.set of vectors", {}, join(call(source("v")), repeat(hex("24 01"), kMany)), {});
  add("select of slots", {}, join(call(source("i")), repeat(hex("1b"), (kMany - 1) / 2), kDrop, kDrop), {});
  add("select of constants", {}, hex("41 01 41 02 20 00 1b 1a"), {});
  add("select of vectors", {}, hex("20 05 20 05 20 00 1b 1a"), {});
  add("select with a type", {}, hex("20 06 20 06 20 00 1c 01 6e 1a"), {});
  add("ref.null", {}, hex("d0 6e 1a"), {});
  add("ref.is_null", {}, join(call(source("r")), repeat(hex("d1 1a"), kMany)), {});
  add("ref.func", {}, hex("d2 00 1a"), {});
  add("ref.eq", {}, hex("d0 6d d0 6d d3 1a"), {});
  add("ref.as_non_null", hex("20 06"), hex("d4"), kDrop);
  add("ref.as_non_null of null", hex("d0 6e"), hex("d4"), kDrop);
}

void CostModules::add_aggregates() {
  const Bytes refs = call(source("r"));
  const Bytes many32 = call(source("i"));
  const auto gc = [](std::uint8_t code, std::uint32_t type_index, const Bytes& more = {}) {
    return join(Bytes{0xFB, code}, leb(type_index), more);
  };
  const Bytes null_struct = join(hex("d0"), signed_leb(kStruct));
  const Bytes null_array = join(hex("d0"), signed_leb(kArray));
  add("struct.new", {}, join(hex("20 00 42 07"), gc(0, kStruct), kDrop), {});
  add("struct.new of many", {}, join(many32, gc(0, kLargeStruct), kDrop), {});
  add("struct.new_default", {}, join(gc(1, kStruct), kDrop), {});
  add("struct.new_default of many", {}, join(gc(1, kLargeStruct), kDrop), {});
  add("struct.get", {}, join(null_struct, gc(2, kStruct, hex("00")), kDrop), {});
  const Bytes null_packed = join(hex("d0"), signed_leb(kPackedStruct));
  const Bytes null_bytes = join(hex("d0"), signed_leb(kPackedArray));
  add("struct.get_s", {}, join(null_packed, gc(3, kPackedStruct, hex("00")), kDrop), {});
  add("struct.get_u", {}, join(null_packed, gc(4, kPackedStruct, hex("00")), kDrop), {});
  add("array.get_s", {}, join(null_bytes, kGet, gc(12, kPackedArray), kDrop), {});
  add("array.get_u", {}, join(null_bytes, kGet, gc(13, kPackedArray), kDrop), {});
  add("array.new_elem", {}, join(kGet, kGet, gc(10, kFuncArray, hex("00")), kDrop), {});
  add("array.init_elem", {}, join(hex("d0"), signed_leb(kFuncArray), kGet, kGet, kGet, gc(19, kFuncArray, hex("00"))),
      {});
  add("struct.set", {}, join(null_struct, hex("41 07"), gc(5, kStruct, hex("00"))), {});
  add("array.new", {}, join(hex("41 07 20 00"), gc(6, kArray), kDrop), {});
  add("array.new_default", {}, join(many32, repeat(join(gc(7, kArray), kDrop), kMany)), {});
  add("array.new_fixed", {}, join(many32, gc(8, kArray, leb(kMany)), kDrop), {});
  add("array.new_fixed of none", {}, join(gc(8, kArray, leb(0)), kDrop), {});
  add("array.new_data", {}, join(kGet, kGet, gc(9, kArray, hex("00")), kDrop), {});
  add("array.get", {}, join(null_array, kGet, gc(11, kArray), kDrop), {});
  add("array.set", {}, join(null_array, kGet, kGet, gc(14, kArray)), {});
  add("array.len", {}, join(null_array, hex("fb 0f 1a")), {});
  add("array.fill", {}, join(null_array, kGet, kGet, kGet, gc(16, kArray)), {});
  add("array.copy", {}, join(null_array, kGet, null_array, kGet, kGet, gc(17, kArray, leb(kArray))), {});
  add("array.init_data", {}, join(null_array, kGet, kGet, kGet, gc(18, kArray, hex("00"))), {});
  add("ref.test", {}, join(refs, repeat(hex("fb 14 6c 1a"), kMany)), {});
  add("ref.test null", {}, join(refs, repeat(hex("fb 15 6c 1a"), kMany)), {});
  add("ref.cast", hex("20 06"), hex("fb 16 6e"), kDrop);
  add("ref.cast null", hex("d0 6e"), hex("fb 17 6e"), kDrop);
  add("ref.i31", {}, join(many32, repeat(hex("fb 1c 1a"), kMany)), {});
  add("i31.get", {}, hex("d0 6c fb 1d 1a d0 6c fb 1e 1a"), {});
  add("any.convert_extern", {}, hex("d0 6f fb 1a fb 1b 1a"), {});
}

void CostModules::add_bulk() {
  const Bytes many32 = call(source("i"));
  const auto three = [&](const Bytes& op) { return join(many32, repeat(op, kMany / 3), kDrop); };
  add("memory.size", {}, hex("3f 00 1a"), {});
  add("memory.grow", {}, join(many32, repeat(hex("40 00 1a"), kMany)), {});
  add("memory.fill", {}, three(hex("fc 0b 00")), {});
  add("memory.copy", {}, three(hex("fc 0a 00 00")), {});
  add("memory.init", {}, three(hex("fc 08 00 00")), {});
  add("data.drop", {}, hex("fc 09 00"), {});
  add("table.get", {}, join(many32, repeat(hex("25 00 1a"), kMany)), {});
  add("table.set", {}, hex("20 00 20 07 26 00"), {});
  add("table.size", {}, hex("fc 10 00 1a"), {});
  add("table.grow", {}, hex("20 07 20 00 fc 0f 00 1a"), {});
  add("table.fill", {}, hex("20 00 20 07 20 00 fc 11 00"), {});
  add("table.copy", {}, three(hex("fc 0e 00 00")), {});
  add("table.init", {}, three(hex("fc 0c 00 00")), {});
  add("elem.drop", {}, hex("fc 0d 00"), {});
  add("atomic.fence", {}, hex("fe 03 00"), {});
}

Bytes CostModules::module(const Construct& construct, std::uint32_t repeats) const {
  std::vector<Bytes> functions{leb(construct.type)};
  std::vector<Bytes> bodies{sized(join(kLocals, construct.body(repeats), kEnd))};
  for (const std::uint32_t type : functions_) {
    functions.push_back(leb(type));
    bodies.push_back(sized(hex("00 00 0b")));
  }
  return wasi::test::module({
      section(kTypeSection, list(types_)),
      section(kFunctionSection, list(functions)),
      section(kTableSection, hex("01 70 00 01")),
      section(kMemorySection, hex("01 00 01")),
      section(kTagSection, join(hex("02"), hex("00"), leb(kTake), hex("00"), leb(kTakeMany))),
      section(kGlobalSection, hex("02 7f 01 41 00 0b 7b 01 fd 0c 00000000 00000000 00000000 00000000 0b")),
      section(kElementSection, hex("01 01 00 01 00")),
      section(kDataCountSection, hex("01")),
      section(kCodeSection, list(bodies)),
      section(kDataSection, hex("01 01 00")),
  });
}

}  // namespace wasi::test
