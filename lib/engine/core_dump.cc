#include "engine/core_dump.h"

#include <fmt/format.h>

#include <cstring>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/guard.h"
#include "binary/byte_writer.h"
#include "engine/state.h"
#include "runtime/frame_capture.h"
#include "validate/locals.h"

namespace wasi::detail {

namespace {

using binary::ByteWriter;
using runtime::CapturedFrame;
using runtime::CapturedGlobal;
using runtime::CapturedInstance;
using runtime::CapturedThread;

// Ids of sections, and bytes of types, as the binary format has them.
constexpr std::uint8_t kCustomSection = 0;
constexpr std::uint8_t kMemorySection = 5;
constexpr std::uint8_t kGlobalSection = 6;
constexpr std::uint8_t kDataSection = 11;
constexpr std::uint8_t kMissing = 0x01;
constexpr std::uint8_t kI32 = 0x7F;
constexpr std::uint8_t kI64 = 0x7E;
constexpr std::uint8_t kF32 = 0x7D;
constexpr std::uint8_t kF64 = 0x7C;
constexpr std::uint8_t kV128 = 0x7B;
constexpr std::uint8_t kEnd = 0x0B;

// Zeros that are worth a segment of their own around them.
constexpr std::size_t kGap = 64;

// Instances, memories and globals by the numbers that they have in the dump; several instances may have one.
template <class T>
class Numbers {
 public:
  std::uint32_t of(const std::shared_ptr<T>& object) {
    const auto [place, is_new] = numbers_.try_emplace(object.get(), static_cast<std::uint32_t>(objects_.size()));
    if (is_new) objects_.push_back(object.get());
    return place->second;
  }
  [[nodiscard]] const std::vector<T*>& all() const { return objects_; }

 private:
  std::vector<T*> objects_;
  std::map<const T*, std::uint32_t> numbers_;
};

class Dump {
 public:
  std::vector<std::uint8_t> write(std::string_view program, const std::vector<CapturedThread>& threads) {
    for (const CapturedThread& thread : threads) {
      for (const CapturedFrame& frame : thread.frames) instances_.of(frame.instance);
    }
    out_.fixed32(0x6D73'6100);  // "\0asm"
    out_.fixed32(1);
    process(program);
    modules();
    instances();
    std::size_t number = 0;
    for (const CapturedThread& thread : threads) {
      if (!thread.is_main) ++number;
      stack(thread.is_main ? "main" : fmt::format("thread {}", number), thread.frames);
    }
    memories();
    globals();
    data();
    return out_.take();
  }

 private:
  void section(std::uint8_t id, const ByteWriter& content) {
    out_.u8(id);
    out_.sized(content);
  }
  void custom(std::string_view name, const ByteWriter& content) {
    ByteWriter whole;
    whole.name(name);
    whole.append(content);
    section(kCustomSection, whole);
  }

  void process(std::string_view program) {
    ByteWriter content;
    content.u8(0);
    content.name(program);
    custom("core", content);
  }

  // Each instance has its module for itself: that costs nothing, and nothing is lost.
  void modules() {
    ByteWriter content;
    content.u32(static_cast<std::uint32_t>(instances_.all().size()));
    for (const CapturedInstance* instance : instances_.all()) {
      content.u8(0);
      content.name(instance->code->names().module);
    }
    custom("coremodules", content);
  }

  void instances() {
    ByteWriter content;
    content.u32(static_cast<std::uint32_t>(instances_.all().size()));
    std::uint32_t module = 0;
    for (const CapturedInstance* instance : instances_.all()) {
      content.u8(0);
      content.u32(module++);
      content.u32(static_cast<std::uint32_t>(instance->memories.size()));
      for (const auto& memory : instance->memories) content.u32(memories_.of(memory));
      content.u32(static_cast<std::uint32_t>(instance->globals.size()));
      for (const auto& global : instance->globals) content.u32(globals_.of(global));
    }
    custom("coreinstances", content);
  }

  void stack(std::string_view thread, const std::vector<CapturedFrame>& frames) {
    ByteWriter content;
    content.u8(0);
    content.name(thread);
    content.u32(static_cast<std::uint32_t>(frames.size()));
    for (const CapturedFrame& frame : frames) {
      const wasm::Module& module = *frame.instance->code->module;
      const std::uint64_t begin = module.body(wasm::FuncIndex(frame.function)).offset;
      content.u8(0);
      content.u32(instances_.of(frame.instance));
      content.u32(frame.function);
      content.u32(static_cast<std::uint32_t>(frame.offset.value_or(begin) - begin));
      locals(content, module, frame);
      content.u32(0);  // of the operand stack, which no tier keeps as one
    }
    custom("corestack", content);
  }

  static void locals(ByteWriter& content, const wasm::Module& module, const CapturedFrame& frame) {
    const wasm::FuncIndex function(frame.function);
    const wasm::FunctionBody& body = module.body(function);
    base::ByteReader reader(module.bytes.data.subspan(body.offset, body.size), body.offset);
    validate::Locals types;
    types.read(reader, module, module.func_type(function).params);
    content.u32(types.size());
    std::size_t slot = 0;
    for (std::uint32_t i = 0; i < types.size(); ++i) {
      const wasm::ValType type = types.type(i);
      const bool is_known = slot < frame.locals.size() && frame.locals[slot] && type.is_numeric();
      if (is_known) {
        value(content, type, *frame.locals[slot]);
      } else {
        content.u8(kMissing);
      }
      slot += type.is_vector() ? 2 : 1;
    }
  }

  static void value(ByteWriter& content, wasm::ValType type, runtime::Slot slot) {
    switch (type.kind()) {
      case wasm::ValType::Kind::i32:
        content.u8(kI32);
        content.s64(slot.s32);
        return;
      case wasm::ValType::Kind::i64:
        content.u8(kI64);
        content.s64(slot.s64);
        return;
      case wasm::ValType::Kind::f32:
        content.u8(kF32);
        content.fixed32(slot.u32);
        return;
      case wasm::ValType::Kind::f64:
        content.u8(kF64);
        content.fixed64(slot.u64);
        return;
      default:
        content.u8(kMissing);
    }
  }

  // As they are now: what they could grow to says nothing here.
  void memories() {
    if (memories_.all().empty()) return;
    ByteWriter content;
    content.u32(static_cast<std::uint32_t>(memories_.all().size()));
    for (const runtime::MemoryStorage* memory : memories_.all()) {
      const wasm::MemoryType& type = memory->type();
      const bool is_64 = type.address == wasm::AddressType::i64;
      const bool has_page_size = type.page_log2 != wasm::kPageLog2;
      content.u8(static_cast<std::uint8_t>((is_64 ? 4 : 0) | (has_page_size ? 8 : 0)));
      content.u64(memory->pages());
      if (has_page_size) content.u32(type.page_log2);
    }
    section(kMemorySection, content);
  }

  // What refers to something is null: what it refers to is in no dump.
  void globals() {
    if (globals_.all().empty()) return;
    ByteWriter content;
    content.u32(static_cast<std::uint32_t>(globals_.all().size()));
    for (const CapturedGlobal* global : globals_.all()) {
      const runtime::Slot slot = global->cell[0];
      switch (global->type.kind()) {
        case wasm::ValType::Kind::i32:
          constant(content, kI32, wasm::Op::i32_const);
          content.s64(slot.s32);
          break;
        case wasm::ValType::Kind::i64:
          constant(content, kI64, wasm::Op::i64_const);
          content.s64(slot.s64);
          break;
        case wasm::ValType::Kind::f32:
          constant(content, kF32, wasm::Op::f32_const);
          content.fixed32(slot.u32);
          break;
        case wasm::ValType::Kind::f64:
          constant(content, kF64, wasm::Op::f64_const);
          content.fixed64(slot.u64);
          break;
        case wasm::ValType::Kind::v128:
          constant(content, kV128, wasm::Op::v128_const);
          content.fixed64(slot.u64);
          content.fixed64(global->cell[1].u64);
          break;
        default:
          constant(content, 0x6F, wasm::Op::ref_null);  // externref
          content.u8(0x6F);
      }
      content.u8(kEnd);
    }
    section(kGlobalSection, content);
  }
  static void constant(ByteWriter& content, std::uint8_t type, wasm::Op op) {
    content.u8(type);
    content.u8(0);  // it does not change any more
    content.op(op);
  }

  // Everything but long runs of zeros.
  void data() {
    ByteWriter segments;
    std::uint32_t count = 0;
    for (std::uint32_t number = 0; number < memories_.all().size(); ++number) {
      const runtime::MemoryStorage& memory = *memories_.all()[number];
      const bool is_64 = memory.type().address == wasm::AddressType::i64;
      const std::span<const std::uint8_t> bytes = memory.bytes();
      for (std::size_t at = 0; (at = next_used(bytes, at)) < bytes.size();) {
        const std::size_t end = end_of_used(bytes, at);
        segments.u8(2);  // active, of this memory
        segments.u32(number);
        segments.op(is_64 ? wasm::Op::i64_const : wasm::Op::i32_const);
        segments.s64(is_64 ? static_cast<std::int64_t>(at) : static_cast<std::int32_t>(at));
        segments.u8(kEnd);
        segments.u64(end - at);
        segments.append(bytes.subspan(at, end - at));
        ++count;
        at = end;
      }
    }
    ByteWriter content;
    content.u32(count);
    content.append(segments);
    section(kDataSection, content);
  }
  static std::size_t next_used(std::span<const std::uint8_t> bytes, std::size_t at) {
    // By words, where there are any: most of a memory was never touched.
    while (at < bytes.size() && at % sizeof(std::uint64_t) != 0 && bytes[at] == 0) ++at;
    while (at % sizeof(std::uint64_t) == 0 && at + sizeof(std::uint64_t) <= bytes.size()) {
      std::uint64_t word;
      std::memcpy(&word, bytes.data() + at, sizeof(word));
      if (word != 0) break;
      at += sizeof(word);
    }
    while (at < bytes.size() && bytes[at] == 0) ++at;
    return at;
  }
  static std::size_t end_of_used(std::span<const std::uint8_t> bytes, std::size_t at) {
    std::size_t end = at;
    for (std::size_t zeros = 0; at < bytes.size() && zeros < kGap; ++at) {
      zeros = bytes[at] == 0 ? zeros + 1 : 0;
      if (zeros == 0) end = at + 1;
    }
    return end;
  }

  ByteWriter out_;
  Numbers<const CapturedInstance> instances_;
  Numbers<runtime::MemoryStorage> memories_;
  Numbers<const CapturedGlobal> globals_;
};

}  // namespace

CoreDumper::CoreDumper(const Store& store)
    : capture_(std::make_unique<runtime::FrameCapture>(Internals::state(store)->store.exec())) {}
CoreDumper::CoreDumper(CoreDumper&&) noexcept = default;
CoreDumper::~CoreDumper() = default;

bool CoreDumper::has_frames() const { return capture_->has_frames(); }

Result<std::vector<std::uint8_t>> CoreDumper::dump(std::string_view program) const {
  return guarded([&]() -> Result<std::vector<std::uint8_t>> { return Dump().write(program, capture_->threads()); });
}

}  // namespace wasi::detail
