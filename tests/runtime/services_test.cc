// The services of machine code, through their table: what each gives, where it traps, which of the immediates is which.
#include "runtime/services.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cstring>
#include <set>

#include "fake_tier.h"
#include "runtime/exception.h"
#include "runtime/gc_heap.h"
#include "support/module_builder.h"

namespace wasi::runtime {
namespace {

using namespace test;
using wasm::Op;

// An i32 in a slot, whose upper half may be anything.
constexpr std::uint64_t dirty(std::uint32_t value) { return 0xDEAD'BEEF'0000'0000U | value; }
constexpr std::uint64_t kMinusOne32 = UINT32_MAX;

// The call that the function of the guest makes.
struct Request {
  RuntimeCallId id;
  std::uint64_t a;
  std::uint64_t b;
} request;
std::set<Op> used;

void serve(VmContext* instance, Slot* slots, FunctionCode* self) {
  const FakeFrame frame(instance, slots, self, 0x5E);
  const RuntimeCall call = instance->exec->calls[static_cast<std::size_t>(request.id)];
  reinterpret_cast<services::Service*>(call)(instance, slots, request.a, request.b);
}

using Values = std::vector<std::uint64_t>;

struct Services : World {
  explicit Services(std::string_view wat) {
    tier.functions["serve"] = serve;
    instance = &instantiate(wat);
  }
  // Whose function has no name.
  explicit Services(const std::vector<std::uint8_t>& binary, StoreOptions options = {}) : World(options) {
    tier.functions[""] = serve;
    instance = &instantiate(binary);
  }

  // The operands as the service leaves them, its result first.
  std::expected<Values, Trap> call(Op op, const Values& operands, std::uint64_t a = 0, std::uint64_t b = 0) {
    used.insert(op);
    request = {services::service_of(op).value(), a, b};
    // A result may need a slot where there is no operand.
    std::vector<Slot> slots(std::max<std::size_t>(operands.size(), 2));
    for (std::size_t i = 0; i < operands.size(); ++i) slots[i].u64 = operands[i];
    if (auto called = World::call(*instance, "serve", slots); !called)
      return std::unexpected(std::move(called).error());
    Values results;
    for (const Slot& slot : slots) results.push_back(slot.u64);
    return results;
  }
  std::uint64_t value(Op op, const Values& operands, std::uint64_t a = 0, std::uint64_t b = 0) {
    const auto results = call(op, operands, a, b);
    if (!results) FAIL(results.error().to_string());
    return results->front();
  }
  std::string trap(Op op, const Values& operands, std::uint64_t a = 0, std::uint64_t b = 0) {
    const auto results = call(op, operands, a, b);
    REQUIRE_FALSE(results.has_value());
    REQUIRE(results.error().backtrace.size() == 1);
    return results.error().message;
  }
  [[nodiscard]] std::string text(std::uint32_t memory, std::size_t at, std::size_t size) const {
    const auto bytes = instance->memory(memory)->bytes().subspan(at, size);
    return {bytes.begin(), bytes.end()};
  }

  Instance* instance = nullptr;
};

void check_memories() {
  Services s(R"((module
    (memory 1 3) (memory i64 1 2)
    (data $first "unused") (data $second "abcdef")
    (func $serve (export "serve") nop)))");
  const std::string outside = "out of bounds memory access";
  CHECK(s.value(Op::memory_grow, {dirty(1)}, 0) == 1);
  CHECK(s.value(Op::memory_grow, {dirty(2)}, 0) == kMinusOne32);
  CHECK(s.value(Op::memory_grow, {0}, 0) == 2);
  CHECK(s.value(Op::memory_grow, {dirty(1)}, 1) == UINT64_MAX);
  CHECK(s.value(Op::memory_grow, {1}, 1) == 1);

  s.value(Op::memory_init, {dirty(10), dirty(1), dirty(3)}, 1, 0);
  CHECK(s.text(0, 10, 4) == std::string_view("bcd\0", 4));
  s.value(Op::memory_init, {20, 0, 6}, 1, 1);
  CHECK(s.text(1, 20, 6) == "abcdef");
  CHECK(s.trap(Op::memory_init, {0, 1, 6}, 1, 0) == outside);
  CHECK(s.trap(Op::memory_init, {std::uint64_t{1} << 32, 0, 6}, 1, 1) == outside);

  s.value(Op::memory_copy, {dirty(100), 20, dirty(4)}, 0, 1);
  CHECK(s.text(0, 100, 6) == std::string_view("abcd\0\0", 6));
  s.value(Op::memory_copy, {40, dirty(100), 2}, 1, 0);
  CHECK(s.text(1, 40, 3) == std::string_view("ab\0", 3));
  CHECK(s.trap(Op::memory_copy, {0, (2U << 16) - 1, 2}, 1, 0) == outside);

  s.value(Op::memory_fill, {dirty(200), dirty(0x178), dirty(3)}, 0);
  CHECK(s.text(0, 199, 5) == std::string_view("\0xxx\0", 5));
  CHECK(s.trap(Op::memory_fill, {std::uint64_t{1} << 40, 'x', 1}, 1) == outside);

  s.value(Op::data_drop, {}, 1);
  CHECK(s.trap(Op::memory_init, {0, 0, 1}, 1, 0) == outside);
}

void check_tables() {
  Services s(R"((module
    (table 4 6 funcref) (table 3 externref)
    (elem $first func) (elem $second func $serve $other)
    (func $serve (export "serve") nop) (func $other (export "other") nop)))");
  const std::string outside = "out of bounds table access";
  const std::uint64_t serve_ref = s.value(Op::ref_func, {}, 0);
  const std::uint64_t other_ref = s.value(Op::ref_func, {}, 1);
  CHECK(serve_ref == reinterpret_cast<std::uint64_t>(s.instance->find_export("serve")->func));
  CHECK(other_ref == reinterpret_cast<std::uint64_t>(s.instance->find_export("other")->func));

  s.value(Op::table_init, {dirty(1), dirty(0), dirty(2)}, 1, 0);
  CHECK(s.value(Op::table_get, {dirty(0)}, 0) == 0);
  CHECK(s.value(Op::table_get, {dirty(1)}, 0) == serve_ref);
  CHECK(s.value(Op::table_get, {2}, 0) == other_ref);
  CHECK(s.trap(Op::table_init, {0, 1, 2}, 1, 0) == outside);
  CHECK(s.trap(Op::table_get, {4}, 0) == outside);

  s.value(Op::table_set, {dirty(2), 0x1232}, 1);
  CHECK(s.value(Op::table_get, {2}, 1) == 0x1232);
  CHECK(s.trap(Op::table_set, {3, 0}, 1) == outside);

  s.value(Op::table_copy, {dirty(0), dirty(1), dirty(1)}, 0, 0);
  CHECK(s.value(Op::table_get, {0}, 0) == serve_ref);
  // The first immediate is the destination.
  CHECK(s.call(Op::table_copy, {3, 2, 1}, 0, 1).has_value());
  CHECK(s.value(Op::table_get, {3}, 0) == 0x1232);
  s.value(Op::table_set, {3, 0}, 0);
  CHECK(s.trap(Op::table_copy, {3, 0, 1}, 1, 0) == outside);

  s.value(Op::table_fill, {dirty(1), other_ref, dirty(2)}, 0);
  CHECK(s.value(Op::table_get, {1}, 0) == other_ref);
  CHECK(s.value(Op::table_get, {3}, 0) == 0);
  CHECK(s.trap(Op::table_fill, {1, 0, 3}, 1) == outside);

  CHECK(s.value(Op::table_grow, {serve_ref, dirty(2)}, 0) == 4);
  CHECK(s.value(Op::table_get, {5}, 0) == serve_ref);
  CHECK(s.value(Op::table_grow, {0, 1}, 0) == kMinusOne32);

  s.value(Op::elem_drop, {}, 1);
  CHECK(s.trap(Op::table_init, {0, 0, 1}, 1, 0) == outside);
}

namespace build = wasi::test;

// Types: 0 (func), 1 $point (struct (mut i32) (mut v128) (mut i8) (mut i16) (mut f64)), 2 $bytes (array (mut i8)),
//        3 $longs (array (mut i64)), 4 $wides (array (mut v128)), 5 $functions (array (mut funcref)),
//        6 $pair (struct (mut i32) (mut i64)), 7 $shorts (array (mut i16))
build::Bytes objects_module() {
  using namespace build;
  return module(
      {section(kTypeSection,
               join(hex("08"), hex("60 00 00"), hex("5f 05 7f 01 7b 01 78 01 77 01 7c 01"), hex("5e 78 01"),
                    hex("5e 7e 01"), hex("5e 7b 01"), hex("5e 70 01"), hex("5f 02 7f 01 7e 01"), hex("5e 77 01"))),
       section(kFunctionSection, hex("01 00")), section(kExportSection, vec({join(name("serve"), hex("00 00"))})),
       // A passive one that is unused, then one with the function and null.
       section(kElementSection, vec({hex("01 00 00"), hex("05 70 02 d2 00 0b d0 70 0b")})),
       section(static_cast<SectionId>(12), hex("02")), section(kCodeSection, vec({sized(hex("00 0b"))})),
       section(static_cast<SectionId>(11), vec({join(hex("01"), name("")), join(hex("01"), name("0123456789"))}))});
}

constexpr std::uint64_t kPoint = 1;
constexpr std::uint64_t kBytes = 2;
constexpr std::uint64_t kLongs = 3;
constexpr std::uint64_t kWides = 4;
constexpr std::uint64_t kFunctions = 5;
constexpr std::uint64_t kPair = 6;
constexpr std::uint64_t kShorts = 7;

void check_structures(Services& s) {
  const std::string null = "null structure reference";
  const std::uint64_t pair = s.value(Op::struct_new, {dirty(7), 8}, kPair);
  CHECK(s.value(Op::struct_get, {pair}, kPair, 0) == 7);
  CHECK(s.value(Op::struct_get, {pair}, kPair, 1) == 8);
  s.value(Op::struct_set, {pair, UINT64_MAX}, kPair, 1);
  CHECK(s.value(Op::struct_get, {pair}, kPair, 1) == UINT64_MAX);

  // The vector takes two slots, so later fields are one word further.
  const std::uint64_t point = s.value(Op::struct_new, {1, 2, 3, dirty(0x180), 0x1'8001, 5}, kPoint);
  CHECK(s.value(Op::struct_get, {point}, kPoint, 0) == 1);
  const auto vector = s.call(Op::struct_get, {point, 0}, kPoint, 1);
  REQUIRE(vector);
  CHECK(*vector == Values{2, 3});
  CHECK(s.value(Op::struct_get_s, {point}, kPoint, 2) == 0xFFFF'FF80);
  CHECK(s.value(Op::struct_get_u, {point}, kPoint, 2) == 0x80);
  CHECK(s.value(Op::struct_get_s, {point}, kPoint, 3) == 0xFFFF'8001);
  CHECK(s.value(Op::struct_get_u, {point}, kPoint, 3) == 0x8001);
  CHECK(s.value(Op::struct_get, {point}, kPoint, 4) == 5);
  s.value(Op::struct_set, {point, 12, 13}, kPoint, 1);
  s.value(Op::struct_set, {point, 0x7F}, kPoint, 2);
  CHECK(*s.call(Op::struct_get, {point, 0}, kPoint, 1) == Values{12, 13});
  CHECK(s.value(Op::struct_get_s, {point}, kPoint, 2) == 0x7F);
  CHECK(s.value(Op::struct_get_u, {point}, kPoint, 3) == 0x8001);

  const std::uint64_t zero = s.value(Op::struct_new_default, {}, kPoint);
  CHECK(s.value(Op::struct_get, {zero}, kPoint, 4) == 0);
  CHECK(s.trap(Op::struct_get, {0}, kPoint, 0) == null);
  CHECK(s.trap(Op::struct_get_s, {0}, kPoint, 2) == null);
  CHECK(s.trap(Op::struct_get_u, {0}, kPoint, 2) == null);
  CHECK(s.trap(Op::struct_set, {0, 1}, kPoint, 0) == null);
}

void check_arrays(Services& s) {
  const std::string null = "null array reference";
  const std::string outside = "out of bounds array access";
  const std::uint64_t longs = s.value(Op::array_new, {9, dirty(3)}, kLongs);
  CHECK(s.value(Op::array_len, {longs}) == 3);
  CHECK(s.value(Op::array_get, {longs, dirty(2)}, kLongs) == 9);
  CHECK(s.trap(Op::array_get, {longs, 3}, kLongs) == outside);
  CHECK(s.trap(Op::array_get, {0, 0}, kLongs) == null);
  s.value(Op::array_set, {longs, dirty(1), UINT64_MAX}, kLongs);
  CHECK(s.value(Op::array_get, {longs, 1}, kLongs) == UINT64_MAX);
  CHECK(s.trap(Op::array_set, {longs, UINT32_MAX, 0}, kLongs) == outside);
  CHECK(s.trap(Op::array_len, {0}) == null);

  // Elements of two slots.
  const std::uint64_t wides = s.value(Op::array_new, {1, 2, dirty(2)}, kWides);
  CHECK(s.value(Op::array_len, {wides}) == 2);
  s.value(Op::array_set, {wides, 1, 3, 4}, kWides);
  CHECK(*s.call(Op::array_get, {wides, 0}, kWides) == Values{1, 2});
  CHECK(*s.call(Op::array_get, {wides, 1}, kWides) == Values{3, 4});
  s.value(Op::array_fill, {wides, 0, 5, 6, dirty(1)}, kWides);
  CHECK(*s.call(Op::array_get, {wides, 0}, kWides) == Values{5, 6});
  CHECK(s.trap(Op::array_fill, {wides, 1, 5, 6, 2}, kWides) == outside);
  const std::uint64_t fixed = s.value(Op::array_new_fixed, {1, 2, 3, 4}, kWides, 2);
  CHECK(*s.call(Op::array_get, {fixed, 1}, kWides) == Values{3, 4});

  const std::uint64_t bytes = s.value(Op::array_new_default, {dirty(4)}, kBytes);
  CHECK(s.value(Op::array_get_u, {bytes, 3}, kBytes) == 0);
  s.value(Op::array_fill, {bytes, dirty(1), 0x1FF, 2}, kBytes);
  CHECK(s.value(Op::array_get_s, {bytes, 1}, kBytes) == kMinusOne32);
  CHECK(s.value(Op::array_get_u, {bytes, 2}, kBytes) == 0xFF);
  CHECK(s.value(Op::array_get_u, {bytes, 3}, kBytes) == 0);
  CHECK(s.trap(Op::array_get_s, {bytes, 4}, kBytes) == outside);
  CHECK(s.trap(Op::array_get_u, {0, 0}, kBytes) == null);
  const std::uint64_t shorts = s.value(Op::array_new_fixed, {0x18000, 1}, kShorts, 2);
  CHECK(s.value(Op::array_get_s, {shorts, 0}, kShorts) == 0xFFFF'8000);

  const std::uint64_t copy = s.value(Op::array_new_default, {6}, kBytes);
  s.value(Op::array_copy, {copy, dirty(4), bytes, dirty(1), dirty(2)}, kBytes, kBytes);
  CHECK(s.value(Op::array_get_u, {copy, 3}, kBytes) == 0);
  CHECK(s.value(Op::array_get_u, {copy, 5}, kBytes) == 0xFF);
  CHECK(s.trap(Op::array_copy, {copy, 5, bytes, 1, 2}, kBytes, kBytes) == outside);
  CHECK(s.trap(Op::array_copy, {copy, 0, 0, 0, 0}, kBytes, kBytes) == null);

  const std::uint64_t digits = s.value(Op::array_new_data, {dirty(2), dirty(3)}, kBytes, 1);
  CHECK(s.value(Op::array_len, {digits}) == 3);
  CHECK(s.value(Op::array_get_u, {digits, 0}, kBytes) == '2');
  CHECK(s.trap(Op::array_new_data, {8, 3}, kBytes, 1) == "out of bounds memory access");
  s.value(Op::array_init_data, {digits, dirty(1), dirty(9), 1}, kBytes, 1);
  CHECK(s.value(Op::array_get_u, {digits, 1}, kBytes) == '9');
  CHECK(s.trap(Op::array_init_data, {digits, 3, 0, 1}, kBytes, 1) == outside);

  const std::uint64_t function = s.value(Op::ref_func, {}, 0);
  const std::uint64_t functions = s.value(Op::array_new_elem, {dirty(0), dirty(2)}, kFunctions, 1);
  CHECK(s.value(Op::array_get, {functions, 0}, kFunctions) == function);
  CHECK(s.value(Op::array_get, {functions, 1}, kFunctions) == 0);
  CHECK(s.trap(Op::array_new_elem, {1, 2}, kFunctions, 1) == "out of bounds table access");
  s.value(Op::array_init_elem, {functions, dirty(1), 0, 1}, kFunctions, 1);
  CHECK(s.value(Op::array_get, {functions, 1}, kFunctions) == function);
  CHECK(s.trap(Op::array_init_elem, {functions, 2, 0, 1}, kFunctions, 1) == outside);
}

std::uint64_t test_of(const Services& s, std::uint64_t type, bool takes_null) {
  const wasm::TypeId id(s.instance->vm.type_ids[type]);
  return std::bit_cast<std::uint64_t>(make_test(*s.registry, wasm::ValType::ref(wasm::HeapType(id), takes_null)));
}

void check_casts(Services& s) {
  const std::uint64_t pair = s.value(Op::struct_new_default, {}, kPair);
  CHECK(s.value(Op::ref_test, {pair}, test_of(s, kPair, false)) == 1);
  CHECK(s.value(Op::ref_test, {pair}, test_of(s, kPoint, false)) == 0);
  CHECK(s.value(Op::ref_test, {0}, test_of(s, kPair, false)) == 0);
  CHECK(s.value(Op::ref_test_null, {0}, test_of(s, kPair, true)) == 1);
  CHECK(s.value(Op::ref_test_null, {make_i31(3)}, test_of(s, kPair, true)) == 0);
  CHECK(s.value(Op::ref_cast, {pair}, test_of(s, kPair, false)) == pair);
  CHECK(s.trap(Op::ref_cast, {0}, test_of(s, kPair, false)) == "cast failure");
  CHECK(s.value(Op::ref_cast_null, {0}, test_of(s, kPair, true)) == 0);
  CHECK(s.trap(Op::ref_cast_null, {pair}, test_of(s, kBytes, true)) == "cast failure");
}

// What the second one does as arithmetic; the first operand of the instruction is the address.
std::uint64_t computed(std::string_view text, std::uint64_t old, std::uint64_t value) {
  const auto says = [&](std::string_view part) { return text.find(part) != std::string_view::npos; };
  if (says("rmw") && says("xor")) return old ^ value;
  if (says("rmw") && says("or")) return old | value;
  if (says("rmw") && says("and")) return old & value;
  if (says("rmw") && says("add")) return old + value;
  if (says("rmw") && says("sub")) return old - value;
  if (says("load") || says("notify") || says("wait") || says("cmpxchg")) return old;
  return value;
}

void check_atomics() {
  Services s(R"((module
    (memory 1) (memory 1 1 shared)
    (func $serve (export "serve") nop)))");
  constexpr std::uint64_t kOld = 0xF1F2'F3F4'F5F6'F7F8;
  constexpr std::uint64_t kValue = 0x1011'1213'1415'1617;
  for (std::uint16_t i = 0; i < wasm::kOpCount; ++i) {
    const auto op = static_cast<Op>(i);
    const wasm::OpInfo& row = wasm::info(op);
    if (row.prefix != wasm::kPrefixThreads || op == Op::atomic_fence) continue;
    CAPTURE(row.text);
    const std::uint64_t mask = row.access == 8 ? UINT64_MAX : (std::uint64_t{1} << row.access * 8) - 1;
    std::uint8_t* const place = s.instance->memory(1)->bytes().data() + 64;
    const auto at_place = [&] {
      std::uint64_t value;
      std::memcpy(&value, place, sizeof value);
      return value;
    };
    std::memcpy(place, &kOld, sizeof kOld);
    // The third operand of a wait is its timeout: the value is another anyway.
    const auto results = s.call(op, {dirty(24), kValue, kValue}, 40, 1);
    REQUIRE(results);
    CHECK((at_place() & mask) == (computed(row.text, kOld, kValue) & mask));
    CHECK((at_place() & ~mask) == (kOld & ~mask));
    const std::string_view type = row.signature.substr(row.signature.find(':') + 1);
    if (row.text.find("notify") != std::string_view::npos) {
      CHECK(results->front() == 0);
    } else if (row.text.find("wait") != std::string_view::npos) {
      CHECK(results->front() == 1);
    } else if (!type.empty()) {
      CHECK(results->front() == (kOld & mask));
    }
    // A comparison that finds what it expects.
    if (row.text.find("cmpxchg") != std::string_view::npos) {
      CHECK(s.value(op, {64, kOld, kValue}, 0, 1) == (kOld & mask));
      CHECK((at_place() & mask) == (kValue & mask));
    }
    if (row.access > 1) CHECK(s.trap(op, {1, 0, 0}, 0, 1) == "unaligned atomic");
    CHECK(s.trap(op, {8, 0, 0}, UINT64_MAX - 7, 1) == "out of bounds memory access");
    CHECK(s.trap(op, {65536, 0, 0}, 0, 0) == "out of bounds memory access");
  }
  CHECK(s.trap(Op::memory_atomic_wait32, {0, 0, 0}, 0, 0) == "expected shared memory");
  CHECK(s.value(Op::memory_atomic_wait64, {128, 0, 0}, 0, 1) == 2);
}

Exception* thrown = nullptr;

// What the rest of machine code's throw is: whoever catches looks for its tag, and takes the values.
void catch_thrown(VmContext* instance, Slot* slots) {
  ExecState& exec = *instance->exec;
  REQUIRE(exec.thrown != nullptr);
  thrown = exec.thrown;
  CHECK_FALSE(services::thrown_has_tag(instance, 0));
  CHECK(services::thrown_has_tag(instance, 1));
  Slot kept = {};
  Slot reference = {};
  services::take_thrown(instance, &reference, 2, nullptr);
  CHECK(reference.ref == thrown);
  CHECK(exec.thrown == nullptr);
  exec.thrown = thrown;
  Slot all[4] = {{.u64 = 1}, {.u64 = 2}, {.u64 = 3}, {.u64 = 4}};
  services::take_thrown(instance, all, 3, &kept);
  CHECK(kept.ref == thrown);
  CHECK(all[2].ref == thrown);
  CHECK(all[3].u64 == 4);
  exec.thrown = thrown;
  services::take_thrown(instance, slots, 1, nullptr);
  CHECK(slots[1].u64 == all[1].u64);
  slots[0].u64 = slots[0].u32;
}

void check_throws() {
  Services s(R"((module
    (tag $other) (tag $e (param i32 i64))
    (func $serve (export "serve") nop)))");
  s.tier.functions["serve"] = [](VmContext* instance, Slot* slots, FunctionCode* self) {
    serve(instance, slots, self);
    catch_thrown(instance, slots);
  };
  CHECK(*s.call(Op::throw_, {dirty(5), 6}, 1) == Values{5, 6});
  CHECK(*s.call(Op::throw_ref, {reinterpret_cast<std::uint64_t>(thrown)}) == Values{5, 6});
  CHECK(s.trap(Op::throw_ref, {0}) == "null exception reference");
  // A throw looks whether the store has to stop: loops can be made of throws, too.
  s.store->interrupt();
  CHECK(s.trap(Op::throw_, {0, 0}, 1) == "interrupted");
  s.store->interrupt();
  CHECK(s.trap(Op::throw_ref, {0}) == "interrupted");
}

TEST_CASE("every service does what its instruction does", "[services]") {
  used.clear();
  check_memories();
  check_tables();
  Services objects(objects_module());
  check_structures(objects);
  check_arrays(objects);
  check_casts(objects);
  check_atomics();
  check_throws();
  for (std::uint16_t i = 0; i < wasm::kOpCount; ++i) {
    const auto op = static_cast<Op>(i);
    INFO(wasm::info(op).text);
    CHECK(services::service_of(op).has_value() == used.contains(op));
  }
}

TEST_CASE("a heap without room for an object is a trap with the limit", "[services]") {
  Services s(objects_module(), {.limits = {.gc_heap_bytes = 1U << 20}});
  const std::string full = "allocation failure: the heap for objects is full (limit: 1048576 bytes)";
  CHECK(s.trap(Op::array_new_default, {1U << 20}, kWides) == full);
  CHECK(s.trap(Op::array_new, {0, 1U << 20}, kLongs) == full);
}

// --- the rows with parameters of their own

template <class Function>
auto* row(VmContext* instance, RuntimeCallId id) {
  return reinterpret_cast<Function*>(instance->exec->calls[static_cast<std::size_t>(id)]);
}

TEST_CASE("machine code's ways to a table, a memory, a type test and a trap", "[services]") {
  World world;
  static void (*body)(VmContext* instance, Slot* slots);
  world.tier.functions["run"] = [](VmContext* instance, Slot* slots, FunctionCode* self) {
    const FakeFrame frame(instance, slots, self, 0x5E);
    body(instance, slots);
  };
  Instance& instance = world.instantiate(R"((module
    (type $none (func)) (type $one (func (param i32)))
    (memory 1) (memory i64 1)
    (table 1 funcref) (table 3 funcref) (elem (table 1) (i32.const 1) func $run)
    (func $run (export "run") (type $none) nop)))");
  // The slots after a call of `run`, or the trap.
  const auto run = [&](std::vector<Slot> slots) -> std::expected<std::uint64_t, std::string> {
    slots.resize(6);
    if (const auto called = world.call(instance, "run", slots); !called) return std::unexpected(called.error().message);
    return slots[0].u64;
  };
  const auto slots = [](std::initializer_list<std::uint64_t> values) {
    std::vector<Slot> result;
    for (const std::uint64_t value : values) result.push_back({.u64 = value});
    return result;
  };

  body = [](VmContext* vm, Slot* s) {
    s[0].ref = row<decltype(services::resolve_indirect)>(vm, RuntimeCallId::resolve_indirect)(vm, s[0].u32, s[1].u32,
                                                                                              s[2].u64);
  };
  CHECK(run(slots({1, 0, dirty(1)})) == reinterpret_cast<std::uint64_t>(instance.find_export("run")->func));
  CHECK(run(slots({1, 0, 3})).error() == "undefined element 3");
  CHECK(run(slots({1, 0, dirty(2)})).error() == "uninitialized element 2");
  CHECK(run(slots({1, 1, 1})).error() == "indirect call type mismatch");

  body = [](VmContext* vm, Slot* s) {
    s[0].ref = row<decltype(services::address_in_memory)>(vm, RuntimeCallId::address_in_memory)(vm, s[0].u64, s[1].u64,
                                                                                                s[2].u64, s[3].u32);
  };
  const auto base = [&](std::uint32_t memory) {
    return reinterpret_cast<std::uint64_t>(instance.memory(memory)->bytes().data());
  };
  const std::string outside = "out of bounds memory access";
  CHECK(run(slots({dirty(65532), 0, 4, 0})) == base(0) + 65532);
  CHECK(run(slots({65532, 4, 0, 1})) == base(1) + 65536);
  CHECK(run(slots({dirty(65532), 0, 4, 1})).error() == outside);
  CHECK(run(slots({65532, 1, 4, 0})).error() == outside);
  CHECK(run(slots({8, UINT64_MAX - 7, 4, 1})).error() == outside);

  body = [](VmContext* vm, Slot* s) {
    s[0].u64 = row<decltype(services::passes_test)>(vm, RuntimeCallId::passes_test)(vm, s[0].u64, s[1].u64) ? 1 : 0;
  };
  const auto i31 =
      std::bit_cast<std::uint64_t>(make_test(*world.registry, wasm::ValType::ref(wasm::AbstractHeap::i31, true)));
  CHECK(run(slots({make_i31(1), i31})) == 1);
  CHECK(run(slots({0, i31})) == 1);
  CHECK(run(slots({2, i31})) == 0);

  body = [](VmContext* vm, Slot* s) {
    row<decltype(services::trap)>(vm, RuntimeCallId::trap)(vm, static_cast<TrapCode>(s[0].u32));
  };
  CHECK(run(slots({static_cast<std::uint64_t>(TrapCode::integer_divide_by_zero)})).error() == "integer divide by zero");

  body = [](VmContext* vm, Slot* s) {
    ExecState& exec = *vm->exec;
    exec.native_sp = exec.native_limit + s[0].u64 - 1;
    row<decltype(services::check_stack)>(vm, RuntimeCallId::check_stack)(vm);
    s[0].u64 = exec.stack_limit.load() == exec.native_limit ? 1 : 0;
  };
  CHECK(run(slots({1})) == 1);
  CHECK(run(slots({0})).error() == "call stack exhausted");
  // A frame that is left, whose slots somebody reads when it is gone.
  body = [](VmContext* vm, Slot* s) {
    ExecState& exec = *vm->exec;
    exec.loop_entry = &exec;
    services::LoopExit exit;
    {
      std::vector<Slot> frame(3, s[0]);
      exec.loop_slots.reserve(frame.size());
      exit = row<decltype(services::leave_at_loop)>(vm, RuntimeCallId::leave_at_loop)(vm, frame.data(), 3);
      std::ranges::fill(frame, Slot{});
    }
    s[0].u64 = exit.entry == &exec ? exit.slots[0].u64 + exit.slots[2].u64 : 0;
  };
  CHECK(run(slots({21})) == 42);
}

}  // namespace
}  // namespace wasi::runtime
