#include "jit/llvm/locals.h"

#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/DebugInfo/DWARF/DWARFContext.h>
#include <llvm/DebugInfo/DWARF/DWARFDie.h>
#include <llvm/DebugInfo/DWARF/DWARFExpression.h>
#include <llvm/Object/ObjectFile.h>

#include <optional>
#include <span>
#include <utility>

#include "jit/common/dwarf_writer.h"

namespace wasi::jit::optimising {

namespace {

namespace dwarf = llvm::dwarf;

constexpr unsigned kRbp = 6;  // as DWARF numbers it

// Empty where only a part of the value is anywhere, or the caller's registers would be needed.
std::optional<LocalPlace> place_of(llvm::ArrayRef<std::uint8_t> expression) {
  LocalPlace place{.kind = LocalPlace::Kind::memory};
  const llvm::DataExtractor data(expression, true, sizeof(void*));
  const llvm::DWARFExpression operations(data, sizeof(void*));
  std::uint64_t begin = 0;
  std::optional<std::size_t> address_size;  // of the expression so far, up to a load that is its last operation
  for (const llvm::DWARFExpression::Operation& operation : operations) {
    if (operation.isError() || place.kind == LocalPlace::Kind::value) return std::nullopt;
    const unsigned code = operation.getCode();
    const std::uint64_t end = operation.getEndOffset();
    if (code >= dwarf::DW_OP_reg0 && code <= dwarf::DW_OP_reg31) {
      if (expression.size() != 1) return std::nullopt;
      place.kind = LocalPlace::Kind::reg;
      place.number = static_cast<std::uint8_t>(code - dwarf::DW_OP_reg0);
      return place;
    }
    // A vector's register can be where a value is; no expression can read it.
    if (code >= dwarf::DW_OP_breg17 && code <= dwarf::DW_OP_breg31) {
      const bool is_all = begin == 0 && operation.getRawOperand(0) == 0 && end + 1 == expression.size() &&
                          expression[static_cast<std::size_t>(end)] == dwarf::DW_OP_stack_value;
      if (!is_all) return std::nullopt;
      place.kind = LocalPlace::Kind::reg;
      place.number = static_cast<std::uint8_t>(code - dwarf::DW_OP_breg0);
      return place;
    }
    const std::optional<std::size_t> loads_from = std::exchange(address_size, std::nullopt);
    switch (code) {
      case dwarf::DW_OP_fbreg:  // every frame is found by its rbp
        place.expression.push_back(dwarf::DW_OP_breg0 + kRbp);
        append_sleb(place.expression, static_cast<std::int64_t>(operation.getRawOperand(0)));
        break;
      case dwarf::DW_OP_stack_value:
        // What was loaded from there, perhaps with more around it than any expression takes, is there.
        if (loads_from) {
          place.expression.resize(*loads_from);
        } else {
          place.kind = LocalPlace::Kind::value;
        }
        if (end != expression.size()) return std::nullopt;
        break;
      case dwarf::DW_OP_deref:
      case dwarf::DW_OP_deref_size:
        address_size = place.expression.size();
        place.expression.insert(place.expression.end(), expression.begin() + begin, expression.begin() + end);
        break;
      case dwarf::DW_OP_regx:
      case dwarf::DW_OP_piece:
      case dwarf::DW_OP_bit_piece:
      case dwarf::DW_OP_entry_value:
      case dwarf::DW_OP_GNU_entry_value:
      case dwarf::DW_OP_convert:
      case dwarf::DW_OP_implicit_value:
      case dwarf::DW_OP_regval_type:
      case dwarf::DW_OP_call_frame_cfa:
        return std::nullopt;
      default:
        place.expression.insert(place.expression.end(), expression.begin() + begin, expression.begin() + end);
    }
    begin = end;
  }
  if (place.expression.empty()) return std::nullopt;
  return place;
}

void read_function(const llvm::DWARFDie& function, LocalsByFunction& locals) {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  std::uint64_t section = 0;
  if (!function.getLowAndHighPC(low, high, section)) return;
  std::vector<LocalPlace>& places = locals[low];
  for (const llvm::DWARFDie& variable : function.children()) {
    std::uint32_t local = 0;
    const char* const name = variable.getShortName();
    if (variable.getTag() != dwarf::DW_TAG_variable || name == nullptr ||
        llvm::StringRef(name).getAsInteger(10, local)) {
      continue;
    }
    auto found = variable.getLocations(dwarf::DW_AT_location);
    if (!found) {
      llvm::consumeError(found.takeError());
      continue;
    }
    for (const llvm::DWARFLocationExpression& location : *found) {
      auto place = place_of(location.Expr);
      if (!place) continue;
      place->local = local;
      place->begin = static_cast<std::uint32_t>(location.Range ? location.Range->LowPC - low : 0);
      place->end = static_cast<std::uint32_t>((location.Range ? location.Range->HighPC : high) - low);
      places.push_back(*std::move(place));
    }
  }
}

}  // namespace

LocalsByFunction read_locals(llvm::StringRef object) {
  LocalsByFunction locals;
  auto file = llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(object, "unit"));
  if (!file) {
    llvm::consumeError(file.takeError());
    return locals;
  }
  const std::unique_ptr<llvm::DWARFContext> context = llvm::DWARFContext::create(**file);
  for (const auto& unit : context->compile_units()) {
    for (const llvm::DWARFDie& entry : unit->getUnitDIE(false).children()) {
      if (entry.getTag() == dwarf::DW_TAG_subprogram) read_function(entry, locals);
    }
  }
  return locals;
}

}  // namespace wasi::jit::optimising
