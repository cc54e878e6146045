// Frames of machine code are found among the records, newest first, through calls from the host in between.
#include "runtime/stack_walk.h"

#include <catch2/catch.hpp>
#include <functional>
#include <vector>

#include "executable.h"
#include "jit/common/adapters.h"
#include "jit/common/assembler_x64.h"
#include "runtime/code_map.h"
#include "runtime/store.h"
#include "runtime/trap_raise.h"

namespace wasi::jit {
namespace {

using runtime::CodeMap;
using runtime::ExecState;
using runtime::FuncRef;
using runtime::FunctionCode;
using runtime::NativeCode;
using runtime::Slot;
using runtime::StackWalk;
using runtime::VmContext;
using test::Executable;

constexpr std::uint64_t kNoCaller = runtime::InlinedCall::kNoCaller;

// Machine code with a frame, which calls `callee` through its record and gives what that gives.
class Function {
 public:
  Function(FunctionCode& callee, std::int32_t locals, const std::vector<std::uint8_t>& slot_entry)
      : slot_entry_(slot_entry), code_(compile(callee, locals)) {
    record.entry = slot_entry_.as<runtime::SlotEntry>();
    record.native_entry = code_.address();
    native_ = {.function = &record, .frame_bytes = static_cast<std::uint32_t>(locals) + 8};
    set_mark(offset(), {});
  }

  // What its call's place is said to be.
  void set_mark(std::uint64_t mark, std::span<const runtime::InlinedCall> inlined_calls) {
    entry_.reset();
    native_.inlined_calls = inlined_calls;
    const auto begin = reinterpret_cast<std::uintptr_t>(code_.address());
    tables_ = runtime::encode_offset_table(std::vector<runtime::OffsetEntry>{{call_at_, mark}}).value();
    entry_ = runtime::code_map()
                 .add({.begin = begin, .end = begin + size_, .owner = &native_, .marks = runtime::OffsetTable(tables_)})
                 .value();
  }

  FunctionCode record;
  [[nodiscard]] std::uint64_t offset() const { return 1000U + call_at_; }

 private:
  std::vector<std::uint8_t> compile(FunctionCode& callee, std::int32_t locals) {
    Assembler a;
    a.push(x64::rbp);
    a.mov(x64::rbp, x64::rsp);
    a.push(x64::rdi);
    a.sub(x64::rsp, locals);
    a.mov(x64::rax, x64::qword_ptr(x64::rdi, offsetof(VmContext, exec)));
    a.mov(x64::qword_ptr(x64::rax, offsetof(ExecState, native_sp)), x64::rsp);
    a.mov(x64::r10, reinterpret_cast<std::uint64_t>(&callee));
    call_at_ = static_cast<std::uint32_t>(a.offset());
    a.call(x64::qword_ptr(x64::r10, offsetof(FunctionCode, native_entry)));
    a.mov(x64::rsp, x64::rbp);
    a.pop(x64::rbp);
    a.ret();
    auto code = a.take().value();
    size_ = code.size();
    return code;
  }

  std::uint32_t call_at_ = 0;
  std::size_t size_ = 0;
  Executable slot_entry_;
  Executable code_;
  NativeCode native_;
  std::vector<std::uint8_t> tables_;
  CodeMap::Entry entry_;
};

// What a walk sees: each frame's record, instance, offset.
struct Seen {
  const FunctionCode* function;
  const VmContext* instance;
  std::optional<std::uint64_t> offset;
  friend bool operator==(const Seen&, const Seen&) = default;
};

// A function of the host's that looks at the stack, and calls the guest again a few times.
struct Watcher {
  FunctionCode record;
  runtime::Store* store = nullptr;
  FuncRef again;
  int depth = 0;
  bool traps = false;
  std::vector<Seen> seen;

  static void entry(VmContext* vm, Slot* slots, FunctionCode* self) {
    auto& watcher = *reinterpret_cast<Watcher*>(self);
    if (watcher.depth-- > 0) {
      std::vector<Slot> inner(1);
      CHECK(watcher.store->call(watcher.again, inner).has_value() != watcher.traps);
      return;
    }
    for (StackWalk walk(*vm->exec); !walk.at_end(); walk.next()) {
      CHECK(walk.is_native());
      watcher.seen.push_back({walk.function(), walk.instance(), walk.offset()});
    }
    slots[0].u64 = 7;
  }
};

// A store, and adapters for functions that take nothing and give an i64.
struct World {
  World() { vm.exec = &store.exec(); }
  std::expected<void, Trap> call(FunctionCode& code, std::vector<Slot>& slots) {
    FuncRef function{.code = &code, .instance = &vm, .type = {}};
    return store.call(function, slots);
  }

  runtime::Store store{std::make_shared<wasm::TypeRegistry>(), {}};
  VmContext vm;
  const NativeSignature signature = native_signature({{}, {wasm::kI64}});
  const std::vector<std::uint8_t> slot_entry = make_slot_entry(signature).value();
};

// One with a function of the host's that machine code may call.
struct WatchedWorld : World {
  WatchedWorld() {
    watcher.record.entry = Watcher::entry;
    watcher.record.native_entry = to_slots.address();
    watcher.store = &store;
  }

  const Executable to_slots{make_native_entry(signature).value()};
  Watcher watcher;
};

TEST_CASE("native frames are walked through their spans, newest first") {
  WatchedWorld world;
  Watcher& watcher = world.watcher;
  // Frames of several sizes; a call keeps the stack pointer a multiple of 16.
  Function inner(watcher.record, 8, world.slot_entry);
  Function middle(inner.record, 104, world.slot_entry);
  Function outer(middle.record, 4008, world.slot_entry);
  watcher.again = {.code = &outer.record, .instance = &world.vm, .type = {}};
  watcher.depth = GENERATE(0, 1, 4);
  const int spans = watcher.depth + 1;

  std::vector<Slot> slots(1);
  REQUIRE(world.call(outer.record, slots));
  std::vector<Seen> expected;
  for (int i = 0; i < spans; ++i) {
    for (const Function* function : {&inner, &middle, &outer}) {
      expected.push_back({&function->record, &world.vm, function->offset()});
    }
  }
  CHECK(watcher.seen == expected);
  CHECK(StackWalk(world.store.exec()).at_end());
}

TEST_CASE("a native frame is walked as those whose bodies are in it") {
  WatchedWorld world;
  Watcher& watcher = world.watcher;
  Function inner(watcher.record, 8, world.slot_entry);
  Function outer(inner.record, 24, world.slot_entry);
  FunctionCode first;
  FunctionCode second;
  FunctionCode third;
  // Of the frame's own function, which calls the first, which calls the second.
  const runtime::InlinedCall called[] = {{&first, 7}, {&second, runtime::inlined_mark(0, 8)}, {&third, kNoCaller}};
  const Seen in_outer{&outer.record, &world.vm, outer.offset()};
  std::vector<Slot> slots(1);
  const auto walk_with = [&](std::uint64_t mark) {
    watcher.seen.clear();
    watcher.depth = 0;
    inner.set_mark(mark, called);
    REQUIRE(world.call(outer.record, slots));
    return watcher.seen;
  };
  CHECK(walk_with(9) == std::vector<Seen>{{&inner.record, &world.vm, 9}, in_outer});
  CHECK(walk_with(runtime::inlined_mark(0, 10)) ==
        std::vector<Seen>{{&first, &world.vm, 10}, {&inner.record, &world.vm, 7}, in_outer});
  CHECK(walk_with(runtime::inlined_mark(1, 11)) ==
        std::vector<Seen>{{&second, &world.vm, 11}, {&first, &world.vm, 8}, {&inner.record, &world.vm, 7}, in_outer});
  // By a tail call.
  CHECK(walk_with(runtime::inlined_mark(2, 12)) == std::vector<Seen>{{&third, &world.vm, 12}, in_outer});
  // Of a number that there is not, the function's own.
  CHECK(walk_with(runtime::inlined_mark(3, 13)) == std::vector<Seen>{{&inner.record, &world.vm, 13}, in_outer});
}

TEST_CASE("a span whose only function jumped elsewhere has no frames") {
  WatchedWorld world;
  const Watcher& watcher = world.watcher;
  const Executable slot_entry(world.slot_entry);
  Assembler a;
  a.mov(x64::r10, reinterpret_cast<std::uint64_t>(&watcher.record));
  a.jmp(x64::qword_ptr(x64::r10, offsetof(FunctionCode, native_entry)));
  const Executable jump(a.take().value());
  FunctionCode record;
  record.entry = slot_entry.as<runtime::SlotEntry>();
  record.native_entry = jump.address();
  std::vector<Slot> slots(1);
  REQUIRE(world.call(record, slots));
  CHECK(slots[0].u64 == 7);
  CHECK(watcher.seen.empty());
}

TEST_CASE("a fault in machine code at an instruction that may is a trap, and the store goes on") {
  World world;
  runtime::Store& store = world.store;
  runtime::Memory& memory = **store.add_memory(wasm::MemoryType{.limits = {.min = 1, .max = {}}});
  if (memory.checks() != runtime::BoundsChecks::guard_pages) return;

  // Loads behind the memory's end, in a frame.
  Assembler a;
  a.push(x64::rbp);
  a.mov(x64::rbp, x64::rsp);
  a.push(x64::rdi);
  a.mov(x64::r11, reinterpret_cast<std::uint64_t>(memory.bytes().data() + memory.bytes().size()));
  const auto load_at = static_cast<std::uint32_t>(a.offset());
  a.mov(x64::rax, x64::qword_ptr(x64::r11));
  a.mov(x64::rsp, x64::rbp);
  a.pop(x64::rbp);
  a.ret();
  const std::vector<std::uint8_t> bytes = a.take().value();
  const Executable code(bytes);
  FunctionCode record;
  const NativeCode native{.function = &record, .frame_bytes = 8};
  const auto marks = runtime::encode_offset_table(std::vector<runtime::OffsetEntry>{{load_at, 321}}).value();
  const auto traps =
      runtime::encode_offset_table(
          std::vector<runtime::OffsetEntry>{{load_at, static_cast<std::uint64_t>(TrapCode::memory_out_of_bounds)}})
          .value();
  const auto begin = reinterpret_cast<std::uintptr_t>(code.address());
  const CodeMap::Entry entry = runtime::code_map()
                                   .add({.begin = begin,
                                         .end = begin + bytes.size(),
                                         .owner = &native,
                                         .marks = runtime::OffsetTable(marks),
                                         .traps = runtime::OffsetTable(traps)})
                                   .value();
  record.native_entry = code.address();
  // The caller goes through the record, so the faulting frame has one below it.
  Function caller(record, 24, world.slot_entry);
  for (int i = 0; i < 3; ++i) {
    std::vector<Slot> slots(1);
    const auto called = world.call(caller.record, slots);
    REQUIRE_FALSE(called);
    CHECK(called.error().code == TrapCode::memory_out_of_bounds);
    CHECK(store.exec().native_span == nullptr);
    CHECK(store.exec().native_fault_pc == 0);
    CHECK(store.exec().top == nullptr);
  }
}

}  // namespace
}  // namespace wasi::jit
