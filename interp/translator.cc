// The translator's model of the operand stack, and how it writes instructions.
#include "interp/translator.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "base/byte_reader.h"
#include "base/result.h"
#include "base/trim.h"
#include "binary/immediates.h"
#include "interp/dispatch.h"
#include "interp/translation.h"
#include "wasm/limits.h"

namespace wasi::interp {

namespace {

bool fits_in_32_bits(std::uint64_t bits) {
  return static_cast<std::uint64_t>(static_cast<std::int64_t>(static_cast<std::int32_t>(bits))) == bits;
}

}  // namespace

void Translator::start(const wasm::Module& module, wasm::FuncIndex function, runtime::Preparation& preparation) {
  module_ = &module;
  type_ = &module.func_type(function);
  preparation_ = &preparation;
  counted_bytes_ = 0;
  out_.start(preparation);
  marks_.start(preparation);
  loops_.start(preparation);
  restart(0);
}

void Translator::restart(std::uint32_t rethrow_slots) {
  error_.reset();
  stack_.clear();
  flushed_ = 0;
  placed_ = {};
  head_ = {};
  out_.clear();
  poll_due_ = kMostCodeBetweenPolls;
  marks_.clear();
  loops_.clear();
  loop_depth_ = 0;
  looped_bytes_ = 0;
  visits_ = 0;
  forget_accumulators();
  last_ = {};
  tables_ = 0;
  // The next module may have other types by the same numbers.
  if (!field_words_.empty()) field_words_.clear();
  reserved_ = rethrow_slots;
  rethrow_slots_ = 0;
  catch_depth_ = 0;
  catches_.clear();
  tries_.clear();
}

void Translator::trim() {
  constexpr std::size_t kKeptBytes = 1 << 20;
  out_.trim(kKeptBytes);
  marks_.trim(kKeptBytes);
  loops_.trim(kKeptBytes);
  catches_.trim(kKeptBytes);
  wasi::trim(stack_, kKeptBytes);
  wasi::trim(links_, kKeptBytes);
  wasi::trim(tries_, kKeptBytes);
}

// What vectors have grown by since the last poll is bounded by a poll's share of the body and their doubling, so that
// is early enough to count it.
void Translator::poll_with(std::uint64_t walk_bytes) {
  stop_unless(preparation_->poll());
  const std::uint64_t bytes = walk_bytes + marks_.held_bytes() + loops_.held_bytes() + catches_.held_bytes() +
                              stack_.capacity() * sizeof(Entry) + links_.capacity() * sizeof(AliasLinks) +
                              aliases_.capacity() * sizeof(std::uint32_t) + tries_.capacity() * sizeof(Try);
  if (bytes > counted_bytes_) {
    stop_unless(preparation_->take(bytes - counted_bytes_));
  } else {
    preparation_->give_back(counted_bytes_ - bytes);
  }
  counted_bytes_ = bytes;
}

void Translator::begin_function(std::span<const wasm::ValType> locals) {
  parameters_ = wasm::slot_count(type_->params);
  locals_ = wasm::slot_count(locals);
  wide_locals_.clear();
  if (locals_ != locals.size()) {
    std::uint32_t slot = 0;
    for (const wasm::ValType type : locals) {
      wide_locals_.push_back({slot, type.is_vector()});
      slot += type.slots();
    }
  }
  locals_ += reserved_;
  next_slot_ = locals_;
  frame_slots_ = std::max(locals_, parameters_ + kClearedSlots);
  aliases_.assign(locals_, kNoEntry);
}

Result<void> Translator::finish() {
  forget_code();
  marks_.finish();
  loops_.finish();
  if (!error_ && frame_slots_ > wasm::kMaxFrameSlots) {
    error_ = Error{ErrorKind::limit,
                   fmt::format("the function needs {} values at a time, and at most {} are supported", frame_slots_,
                               wasm::kMaxFrameSlots),
                   std::nullopt};
  }
  if (error_) return std::unexpected(std::move(*error_));
  return {};
}

void Translator::unsupported(wasm::Op op) {
  if (error_) return;
  const wasm::OpInfo& row = wasm::info(op);
  error_ =
      Error{ErrorKind::unsupported, fmt::format("{} ({}) is not supported", row.text, name_of(row.feature)), offset_};
}

// --- the model

void Translator::push(Entry::Kind kind, std::uint64_t bits, bool is_vector) {
  stack_.push_back({kind, is_vector, next_slot_, bits});
  next_slot_ += is_vector ? 2 : 1;
  frame_slots_ = std::max(frame_slots_, next_slot_);
  if (kind == Entry::Kind::local) link_alias(bits);
  if (options_.style == CodeStyle::plain) flush();
}

// The entry just pushed names the local.
void Translator::link_alias(std::uint64_t slot) {
  const auto index = static_cast<std::uint32_t>(stack_.size() - 1);
  if (links_.size() <= index) links_.resize(stack_.capacity());
  const std::uint32_t below = std::exchange(aliases_[slot], index);
  links_[index].below = below;
  if (below != kNoEntry) links_[below].above = index;
}

void Translator::unlink_alias(std::uint64_t slot, std::size_t index) {
  const AliasLinks links = links_[index];
  if (aliases_[slot] == index) {
    aliases_[slot] = links.below;
    return;
  }
  links_[links.above].below = links.below;
  if (links.below != kNoEntry) links_[links.below].above = links.above;
}

Translator::Entry Translator::pop() {
  const Entry entry = stack_.back();
  stack_.pop_back();
  next_slot_ = entry.slot;
  // It is the uppermost one.
  if (entry.kind == Entry::Kind::local) aliases_[entry.bits] = links_[stack_.size()].below;
  flushed_ = std::min(flushed_, stack_.size());
  placed_.end = std::min(placed_.end, stack_.size());
  return entry;
}

// The stack as it is at a label: `height` operands that were there before, and `values`, all in their slots.
void Translator::reset_stack(std::size_t height, std::span<const wasm::ValType> values) {
  while (stack_.size() > height) pop();
  push_slots(values);
  flushed_ = stack_.size();
}

void Translator::flush_entry(std::size_t index) {
  ++visits_;
  Entry& entry = stack_[index];
  if (entry.kind == Entry::Kind::slot) return;
  copy(entry.slot, entry);
  if (entry.kind == Entry::Kind::local) unlink_alias(entry.bits, index);
  entry.kind = Entry::Kind::slot;
}

void Translator::flush() {
  for (std::size_t i = flushed_; i < stack_.size(); ++i) flush_entry(i);
  flushed_ = stack_.size();
}

// Brings the uppermost entries into their slots.
void Translator::flush_arguments(std::size_t count) {
  const std::size_t first = stack_.size() - count;
  for (std::size_t i = std::max(first, flushed_); i < stack_.size(); ++i) {
    if (placed_.begin <= i && i < placed_.end) {
      i = placed_.end - 1;
    } else {
      flush_entry(i);
    }
  }
  if (first <= flushed_) {
    flushed_ = stack_.size();
  } else {
    if (first < placed_.begin || first > placed_.end) placed_.begin = first;
    placed_.end = stack_.size();
  }
}

// The slot that holds a popped entry's value, which a constant is given now.
std::uint32_t Translator::in_slot(const Entry& entry) {
  if (entry.kind == Entry::Kind::constant) copy(entry.slot, entry);
  return place(entry);
}

Translator::Operand Translator::operand(const Entry& entry, ValueClass value_class, bool is_wide) {
  if (entry.kind == Entry::Kind::constant) {
    if (!is_wide || value_class != ValueClass::integer || fits_in_32_bits(entry.bits)) return {'k', 0, entry.bits};
    return {'s', in_slot(entry), 0};
  }
  const std::uint32_t slot = place(entry);
  const bool in_accumulator =
      options_.style != CodeStyle::plain && accumulators_.slot[static_cast<unsigned>(value_class)] == slot;
  return {in_accumulator ? 'a' : 's', slot, 0, entry.kind == Entry::Kind::slot};
}

Translator::Operand Translator::operand(const Entry& entry, const Lowering& lowering) {
  return operand(entry, lowering.operand, lowering.is_wide);
}

// The instruction that was just written puts a value into `slot`: what equalled it equals it no more.
void Translator::wrote(std::uint32_t slot) {
  for (std::uint32_t& equal : accumulators_.slot) {
    if (equal == slot) equal = kNoSlot;
  }
  std::uint32_t& vector = accumulators_.slot[static_cast<unsigned>(ValueClass::v128)];
  if (vector + 1 == slot) vector = kNoSlot;
  last_.written = slot;
}

void Translator::wrote(std::uint32_t slot, ValueClass value_class) {
  wrote(slot);
  accumulators_.slot[static_cast<unsigned>(value_class)] = slot;
}

void Translator::wrote_vector(std::uint32_t slot) {
  wrote(slot + 1);
  wrote(slot);
}

bool Translator::is_last_comparison(const Entry& popped) const {
  return options_.style != CodeStyle::plain && popped.kind == Entry::Kind::slot && last_.comparison != nullptr &&
         last_.written == popped.slot;
}

// Removes the last instruction, and returns it to be written in another way.
Translator::Instruction Translator::take_back_last() {
  const Instruction last = last_;
  out_.truncate(last.position);
  accumulators_ = last.before;
  last_ = {};
  return last;
}

// At a label: what was before may not have been run.
void Translator::forget_code() {
  seal();
  last_ = {};
  head_ = {};
  forget_accumulators();
}

// --- emission

// The last instruction will not change any more: it becomes a part of those before it, if isa.def's
// fused.def has such an instruction.
void Translator::seal() {
  if (last_.position == kUnbound) return;
  if (head_.position != kUnbound) {
    const bool temporary = last_.consumed != kNoSlot && last_.consumed == head_.written;
    const Code fused = find_fusion(head_.code, last_.code, temporary);
    if (fused != Code::exit) {
      out_.write(head_.position, handler_offset(fused));
      head_.code = fused;
      head_.written = last_.written;
      return;
    }
  }
  if (options_.style == CodeStyle::fused) head_ = {last_.position, last_.code, last_.written};
}

void Translator::emit(Code code) {
  seal();
  out_.reserve(kMaxInstructionSize);
  last_.position = out_.size();
  last_.code = code;
  last_.written = kNoSlot;
  last_.consumed = kNoSlot;
  last_.comparison = nullptr;
  last_.before = accumulators_;
  out_.put(handler_offset(code));
}

// For the instruction at offset_.
void Translator::emit_count() {
  base::ByteReader reader(module_->bytes.data.subspan(offset_), offset_);
  const wasm::Op op = binary::read_op(reader);
  emit(Code::count);
  out_.put(reinterpret_cast<std::uint64_t>(&options_.counts[static_cast<std::uint16_t>(op)]));
}

void Translator::emit_poll() {
  emit(Code::poll);
  // What is in no loop, the function's calls have paid for.
  out_.put(loop_depth_ != 0 ? kMostCodeBetweenPolls / runtime::kCodeBytesPerUnit : 0);
  poll_due_ = out_.size() + kMostCodeBetweenPolls;
}

void Translator::emit_charge(std::uint32_t cost) {
  emit(Code::charge);
  mark();
  out_.put(cost);
}

// A comparison stays the last instruction, which the branch that is charged for may become one with. It has no effect
// and traps on nothing, so it may as well stand behind the charge.
void Translator::charge_run(std::uint32_t cost) {
  if (stack_.empty() || !is_last_comparison(stack_.back())) return emit_charge(cost);
  pop();
  const Instruction comparison = take_back_last();
  emit_charge(cost);
  emit_compare(*comparison.comparison, comparison.lhs, comparison.rhs);
}

void Translator::put_operand(const Operand& operand, ValueClass value_class, bool is_wide) {
  if (operand.form == 's') {
    put_slot(operand.slot);
  } else if (operand.form == 'a') {
    if (operand.is_popped) last_.consumed = operand.slot;
  } else {
    if (value_class == ValueClass::f64 && is_wide) {
      out_.put(operand.bits);
    } else {
      out_.put(static_cast<std::uint32_t>(operand.bits));
    }
  }
}

// A branch target: known, or filled in when the label is bound.
void Translator::put_target(std::uint32_t& fixups, std::uint32_t position) {
  if (position != kUnbound) {
    out_.put(static_cast<std::int32_t>(position - out_.size()));
  } else {
    put_fixup(fixups);
  }
}

void Translator::put_fixup(std::uint32_t& list) {
  const std::uint32_t here = out_.size();
  out_.put(list);
  list = here;
}

void Translator::bind(std::uint32_t& list) {
  const std::uint32_t here = out_.size();
  for (std::uint32_t at = list; at != 0;) {
    const auto next = out_.read<std::uint32_t>(at);
    out_.write(at, static_cast<std::int32_t>(here - at));
    at = next;
  }
  list = 0;
  forget_code();
}

void Translator::copy(std::uint32_t to, const Entry& from) {
  if (from.kind != Entry::Kind::constant) {
    if (place(from) == to) return;
    emit(from.is_vector ? Code::copy_v128 : Code::copy);
    put_slot(to);
    put_slot(place(from));
    if (from.is_vector) return wrote_vector(to);
  } else if (fits_in_32_bits(from.bits)) {
    emit(Code::const32);
    put_slot(to);
    out_.put(static_cast<std::uint32_t>(from.bits));
  } else {
    emit(Code::const64);
    put_slot(to);
    out_.put(from.bits);
  }
  wrote(to);
}

// Of slots, downward. Calls out, so that accumulators are dead behind it.
void Translator::copy_range(std::uint32_t to, std::uint32_t from, std::uint32_t count) {
  if (to == from) return;
  emit(Code::copy_range);
  put_slot(to);
  put_slot(from);
  put_slot(count);
  forget_accumulators();
}

}  // namespace wasi::interp
