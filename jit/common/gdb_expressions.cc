#include "jit/common/gdb_expressions.h"

#include <algorithm>
#include <cstddef>

#include "binary/dwarf_cursor.h"
#include "runtime/vmcontext.h"

namespace wasi::jit {

using binary::DwarfCursor;
using binary::DwarfLocation;
using binary::DwarfOp;
using binary::DwarfRange;
using runtime::MemoryView;
using runtime::VmContext;

namespace {

using View = std::span<const std::uint8_t>;

constexpr unsigned kRbp = 6;
constexpr std::uint8_t kMostGeneralRegister = 16;
constexpr std::uint8_t kMostNamedRegister = 31;

// Kinds of DW_OP_WASM_location.
enum : std::uint8_t { kLocal, kGlobal, kOperand, kGlobalOfFixedSize };

// Bytes that an expression reads of a local.
std::uint8_t size_of(wasm::ValType type) { return type == wasm::kI32 || type == wasm::kF32 ? 4 : 8; }

struct WasmValue {
  std::uint8_t kind = kOperand;
  std::uint32_t index = 0;
};

// Behind the operation itself.
WasmValue read_wasm_value(DwarfCursor& cursor) {
  WasmValue value{.kind = cursor.fixed<std::uint8_t>()};
  const std::uint64_t index = value.kind == kGlobalOfFixedSize ? cursor.fixed<std::uint32_t>() : cursor.uleb();
  if (index > UINT32_MAX) return {};
  value.index = static_cast<std::uint32_t>(index);
  return value;
}

void append_op(Bytes& out, DwarfOp op) { out.push_back(static_cast<std::uint8_t>(op)); }

void append_op(Bytes& out, DwarfOp op, std::uint64_t operand) {
  append_op(out, op);
  append_uleb(out, operand);
}

void append_load(Bytes& out, std::uint8_t bytes) {
  append_op(out, DwarfOp::deref_size);
  out.push_back(bytes);
}

// What is above an i32 in its register or slot is undefined, and addresses wrap around.
void append_mask(Bytes& out, std::uint8_t size) {
  if (size != sizeof(std::uint32_t)) return;
  append_op(out, DwarfOp::const4u);
  append(out, std::uint32_t{UINT32_MAX});
  append_op(out, DwarfOp::and_);
}

// Operations that are the same in the machine's words, by how many bytes of operands they have.
enum class Operands : std::uint8_t { none, one, two, four, eight, uleb, sleb, other };
Operands operands_of(DwarfOp op) {
  const auto code = static_cast<std::uint8_t>(op);
  const auto is_among = [op](DwarfOp first, DwarfOp last) { return op >= first && op <= last; };
  if (code >= static_cast<std::uint8_t>(DwarfOp::lit0) && code < static_cast<std::uint8_t>(DwarfOp::reg0)) {
    return Operands::none;
  }
  switch (op) {
    case DwarfOp::const1u:
    case DwarfOp::const1s:
    case DwarfOp::pick:
      return Operands::one;
    case DwarfOp::const2u:
    case DwarfOp::const2s:
      return Operands::two;
    case DwarfOp::const4u:
    case DwarfOp::const4s:
      return Operands::four;
    case DwarfOp::const8u:
    case DwarfOp::const8s:
      return Operands::eight;
    case DwarfOp::constu:
    case DwarfOp::plus_uconst:
      return Operands::uleb;
    case DwarfOp::consts:
      return Operands::sleb;
    case DwarfOp::bra:  // over operations that come out longer
      return Operands::other;
    default:
      break;
  }
  const bool is_plain = is_among(DwarfOp::dup, DwarfOp::rot) || is_among(DwarfOp::abs, DwarfOp::ne);
  return is_plain ? Operands::none : Operands::other;
}

}  // namespace

ExpressionTranslator::ExpressionTranslator(const NamedCode& code, const binary::Dwarf::Unit* unit, View frame_base)
    : code_(code), unit_(unit), frame_base_(frame_base) {}

std::vector<CodeRange> ExpressionTranslator::ranges(std::span<const DwarfRange> guest) const {
  std::vector<CodeRange> ranges;
  const auto size = static_cast<std::uint32_t>(code_.code.size());
  for (std::size_t i = 0; i < code_.marks.size(); ++i) {
    const std::uint64_t from = code_.marks[i].value;
    const auto holds = [from](const DwarfRange& range) { return range.begin <= from && from < range.end; };
    if (!std::ranges::any_of(guest, holds)) continue;
    const std::uint32_t begin = code_.marks[i].code_offset;
    const std::uint32_t end = i + 1 < code_.marks.size() ? code_.marks[i + 1].code_offset : size;
    if (begin >= end) continue;
    if (!ranges.empty() && ranges.back().end == begin) {
      ranges.back().end = end;
    } else {
      ranges.push_back({begin, end});
    }
  }
  return ranges;
}

const LocalPlace* ExpressionTranslator::place(std::uint32_t local, std::uint32_t at) const {
  const auto holds = [=](const LocalPlace& place) {
    return place.local == local && place.begin <= at && at < place.end;
  };
  const auto found = std::ranges::find_if(code_.guest->locals, holds);
  return found != code_.guest->locals.end() ? &*found : nullptr;
}

Bytes ExpressionTranslator::memory_base() const {
  Bytes out;
  if (code_.guest->context_at == 0 || code_.guest->module.memories.empty()) return out;
  out.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(DwarfOp::breg0) + kRbp));
  append_sleb(out, -8 * std::int64_t{code_.guest->context_at});
  append_op(out, DwarfOp::deref);
  append_op(out, DwarfOp::plus_uconst, offsetof(VmContext, memory0));
  append_op(out, DwarfOp::deref);
  append_op(out, DwarfOp::plus_uconst, offsetof(MemoryView, base));
  append_op(out, DwarfOp::deref);
  return out;
}

// One expression, for code in which each local is in one place.
class ExpressionTranslator::Translation {
 public:
  Translation(const ExpressionTranslator& translator, std::uint32_t at, bool is_pointer)
      : of_(translator),
        at_(at),
        is_pointer_(is_pointer),
        address_size_(translator.unit_ != nullptr ? translator.unit_->address_size : std::uint8_t{4}) {}

  // Empty where the value cannot be found.
  std::optional<Bytes> translate(View expression) {
    DwarfCursor cursor(expression);
    if (expression.empty()) return std::nullopt;
    while (!cursor.at_end()) {
      const DwarfOp op{cursor.fixed<std::uint8_t>()};
      if (op == DwarfOp::piece) {
        if (!end_piece(cursor.uleb())) return std::nullopt;
        continue;
      }
      if (op == DwarfOp::stack_value) {
        is_value_ = true;
        continue;
      }
      if (is_value_ || !step(op, cursor)) return std::nullopt;
    }
    if (!cursor.ok() || (is_begun_ && !end_location())) return std::nullopt;
    return std::move(out_);
  }

 private:
  bool step(DwarfOp op, DwarfCursor& cursor) {
    // A value that is in one place and nothing is done with it: where it is.
    if (std::exchange(is_begun_, true)) lone_.reset();
    if (is_vector_) return false;
    switch (op) {
      case DwarfOp::WASM_location: {
        const WasmValue value = read_wasm_value(cursor);
        if (part_.empty() && value.kind == kLocal) lone_ = value.index;
        return push(value);
      }
      case DwarfOp::fbreg: {
        const std::int64_t offset = cursor.sleb();
        if (!push_frame_base()) return false;
        append_op(part_, DwarfOp::consts);
        append_sleb(part_, offset);
        append_op(part_, DwarfOp::plus);
        return true;
      }
      case DwarfOp::addr:
        append_op(part_, DwarfOp::constu,
                  address_size_ == 4 ? cursor.fixed<std::uint32_t>() : cursor.fixed<std::uint64_t>());
        return true;
      case DwarfOp::addrx:
        if (of_.unit_ == nullptr) return false;
        append_op(part_, DwarfOp::constu, of_.code_.guest->dwarf.address(*of_.unit_, cursor.uleb()));
        return true;
      case DwarfOp::deref:
        return to_address() && (append_load(part_, address_size_), true);
      case DwarfOp::deref_size: {
        const auto size = cursor.fixed<std::uint8_t>();
        return size <= sizeof(std::uint64_t) && to_address() && (append_load(part_, size), true);
      }
      case DwarfOp::implicit_value: {
        const View bytes = cursor.take(cursor.uleb());
        append_op(part_, DwarfOp::implicit_value, bytes.size());
        append(part_, bytes);
        is_implicit_ = true;
        return cursor.at_end() && !is_pointer_;
      }
      default:
        return copy(op, cursor);
    }
  }

  bool copy(DwarfOp op, DwarfCursor& cursor) {
    append_op(part_, op);
    const auto copy_bytes = [&](std::size_t count) { append(part_, cursor.take(count)); };
    switch (operands_of(op)) {
      case Operands::none:
        return true;
      case Operands::one:
        copy_bytes(1);
        return true;
      case Operands::two:
        copy_bytes(2);
        return true;
      case Operands::four:
        copy_bytes(4);
        return true;
      case Operands::eight:
        copy_bytes(8);
        return true;
      case Operands::uleb:
        append_uleb(part_, cursor.uleb());
        return true;
      case Operands::sleb:
        append_sleb(part_, cursor.sleb());
        return true;
      case Operands::other:
        break;
    }
    return false;
  }

  bool push(const WasmValue& value) {
    const GuestFunction& guest = *of_.code_.guest;
    if (value.kind == kLocal) {
      const LocalPlace* const place = of_.place(value.index, at_);
      if (place == nullptr) return false;
      switch (place->kind) {
        case LocalPlace::Kind::reg:
          if (place->number >= kMostGeneralRegister) {
            is_vector_ = true;
            return lone_.has_value();
          }
          part_.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(DwarfOp::breg0) + place->number));
          append_sleb(part_, 0);
          append_mask(part_, size_of(place->type));
          return true;
        case LocalPlace::Kind::memory:
          append(part_, View(place->expression));
          append_load(part_, size_of(place->type));
          return true;
        case LocalPlace::Kind::value:
          append(part_, View(place->expression));
          append_mask(part_, size_of(place->type));
          return true;
      }
    }
    const bool is_global = value.kind == kGlobal || value.kind == kGlobalOfFixedSize;
    if (!is_global || guest.context_at == 0 || value.index >= guest.module.globals.size()) return false;
    part_.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(DwarfOp::breg0) + kRbp));
    append_sleb(part_, -8 * std::int64_t{guest.context_at});
    append_op(part_, DwarfOp::deref);
    append_op(part_, DwarfOp::plus_uconst, offsetof(VmContext, globals));
    append_op(part_, DwarfOp::deref);
    append_op(part_, DwarfOp::plus_uconst, std::uint64_t{value.index} * sizeof(void*));
    append_op(part_, DwarfOp::deref);
    append_load(part_, address_size_);
    return true;
  }

  // The frame's base is one value.
  bool push_frame_base() {
    DwarfCursor cursor(of_.frame_base_);
    if (DwarfOp{cursor.fixed<std::uint8_t>()} != DwarfOp::WASM_location) return false;
    const WasmValue value = read_wasm_value(cursor);
    return cursor.ok() && push(value);
  }

  // From an address of the guest's to the machine's.
  bool to_address() {
    const Bytes base = of_.memory_base();
    if (base.empty()) return false;
    append_mask(part_, address_size_);
    append(part_, View(base));
    append_op(part_, DwarfOp::plus);
    return true;
  }

  // Null stays what it is.
  bool to_pointer() {
    const Bytes base = of_.memory_base();
    if (base.empty()) return false;
    append_mask(part_, address_size_);
    append_op(part_, DwarfOp::dup);
    append_op(part_, DwarfOp::bra);
    append(part_, std::int16_t{3});  // over the next
    append_op(part_, DwarfOp::skip);
    append(part_, static_cast<std::int16_t>(base.size() + 1));
    append(part_, View(base));
    append_op(part_, DwarfOp::plus);
    append_op(part_, DwarfOp::stack_value);
    return true;
  }

  bool end_location() {
    is_begun_ = false;
    const std::optional<std::uint32_t> lone = std::exchange(lone_, std::nullopt);
    const bool is_value = std::exchange(is_value_, false);
    if (!is_implicit_) {
      const LocalPlace* const place = lone && is_value && !is_pointer_ ? of_.place(*lone, at_) : nullptr;
      if (place != nullptr) {
        part_ = location_of(*place);
      } else if (is_vector_) {
        return false;
      } else if (is_pointer_) {
        if (!is_value) {
          if (!to_address()) return false;
          append_load(part_, address_size_);
        }
        if (!to_pointer()) return false;
      } else if (is_value) {
        append_op(part_, DwarfOp::stack_value);
      } else if (!to_address()) {
        return false;
      }
    }
    append(out_, View(part_));
    part_.clear();
    is_vector_ = false;
    return true;
  }

  bool end_piece(std::uint64_t bytes) {
    if (is_pointer_ || (is_begun_ && !end_location())) return false;
    append_op(out_, DwarfOp::piece, bytes);
    return true;
  }

  static Bytes location_of(const LocalPlace& place) {
    Bytes out;
    switch (place.kind) {
      case LocalPlace::Kind::reg:
        if (place.number <= kMostNamedRegister) {
          out.push_back(static_cast<std::uint8_t>(static_cast<unsigned>(DwarfOp::reg0) + place.number));
        } else {
          append_op(out, DwarfOp::regx, place.number);
        }
        break;
      case LocalPlace::Kind::memory:
        out = place.expression;
        break;
      case LocalPlace::Kind::value:
        out = place.expression;
        append_op(out, DwarfOp::stack_value);
        break;
    }
    return out;
  }
  friend class ExpressionTranslator;

  const ExpressionTranslator& of_;
  const std::uint32_t at_;  // a code offset that it is for
  const bool is_pointer_;
  const std::uint8_t address_size_;
  bool is_begun_ = false;
  bool is_value_ = false;
  bool is_implicit_ = false;
  bool is_vector_ = false;  // a vector's register: it can be a location, but no operand
  std::optional<std::uint32_t> lone_;
  Bytes part_;  // of the location that is made, which may be of a piece alone
  Bytes out_;
};

std::vector<std::uint32_t> ExpressionTranslator::locals_in(View expression) const {
  std::vector<std::uint32_t> locals;
  // Those of all operations that could be Wasm locations: one too many divides code more finely, and does no harm.
  const auto look_in = [&locals](View bytes) {
    for (std::size_t i = 0; i < bytes.size(); ++i) {
      if (DwarfOp{bytes[i]} != DwarfOp::WASM_location) continue;
      DwarfCursor cursor(bytes.subspan(i + 1));
      if (const WasmValue value = read_wasm_value(cursor); value.kind == kLocal) locals.push_back(value.index);
    }
  };
  look_in(expression);
  look_in(frame_base_);
  return locals;
}

std::vector<NativeLocation> ExpressionTranslator::translate(std::span<const DwarfLocation> guest,
                                                            bool is_pointer) const {
  std::vector<NativeLocation> locations;
  for (const DwarfLocation& location : guest) {
    std::vector<CodeRange> covered;
    if (location.range) {
      covered = ranges({&*location.range, 1});
    } else {
      covered.push_back({0, static_cast<std::uint32_t>(code_.code.size())});
    }
    const std::vector<std::uint32_t> locals = locals_in(location.expression);
    for (const CodeRange& range : covered) {
      // From one place of any of the locals to the next.
      std::vector<std::uint32_t> borders = {range.begin, range.end};
      for (const LocalPlace& place : code_.guest->locals) {
        if (std::ranges::find(locals, place.local) == locals.end()) continue;
        for (const std::uint32_t border : {place.begin, place.end}) {
          if (range.begin < border && border < range.end) borders.push_back(border);
        }
      }
      std::ranges::sort(borders);
      for (std::size_t i = 0; i + 1 < borders.size(); ++i) {
        if (borders[i] == borders[i + 1]) continue;
        auto expression = Translation(*this, borders[i], is_pointer).translate(location.expression);
        if (!expression) continue;
        NativeLocation* const last = locations.empty() ? nullptr : &locations.back();
        if (last != nullptr && last->range.end == borders[i] && last->expression == *expression) {
          last->range.end = borders[i + 1];
        } else {
          locations.push_back({{borders[i], borders[i + 1]}, *std::move(expression)});
        }
      }
    }
  }
  return locations;
}

std::vector<NativeLocation> ExpressionTranslator::local(std::uint32_t index) const {
  std::vector<NativeLocation> locations;
  for (const LocalPlace& place : code_.guest->locals) {
    if (place.local == index) locations.push_back({{place.begin, place.end}, Translation::location_of(place)});
  }
  return locations;
}

}  // namespace wasi::jit
