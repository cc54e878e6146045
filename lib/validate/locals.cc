#include "validate/locals.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/trim.h"
#include "binary/type_reader.h"
#include "wasm/limits.h"

namespace wasi::validate {

namespace {
constexpr std::size_t kKeptBytes = 1 << 18;
}  // namespace

void Locals::clear() {
  runs_.clear();
  trim(types_, kKeptBytes);
  types_.clear();
  size_ = 0;
  unset_from_ = UINT32_MAX;
  set_.clear();
  set_order_.clear();
}

void Locals::read(base::ByteReader& reader, const wasm::Module& module, std::span<const wasm::ValType> params) {
  clear();
  const std::uint64_t start = reader.offset();
  const std::size_t body_size = reader.remaining();
  types_.assign(params.begin(), params.end());
  size_ = static_cast<std::uint32_t>(params.size());

  const std::uint32_t groups = reader.u32("count of local declarations");
  std::uint64_t declared = 0;
  bool defaultable = true;
  for (std::uint32_t i = 0; i < groups; ++i) {
    const std::uint32_t count = reader.u32("count of locals");
    const wasm::ValType type = binary::read_value_type(reader, module);
    if (!reader.ok()) return;
    declared += count;
    // Beyond 2^32 - 1 the binary format itself has no meaning for it.
    if (declared > UINT32_MAX) {
      return reader.fail_at(start, ErrorKind::malformed, "too many locals: more than 2^32 - 1 are declared");
    }
    if (count == 0) continue;
    defaultable &= type.is_defaultable();
    if (declared <= wasm::kMaxLocals) runs_.push_back({size_ + static_cast<std::uint32_t>(declared), type});
  }
  if (!reader.ok()) return;
  if (declared > wasm::kMaxLocals) {
    return reader.fail_at(start, ErrorKind::limit,
                          fmt::format("too many locals: {} are declared, {} are allowed", declared, wasm::kMaxLocals));
  }
  const auto parameters = size_;
  size_ += static_cast<std::uint32_t>(declared);
  // Whatever is expanded later stays where it is: plain() is held.
  types_.reserve(size_);
  expand(std::min<std::uint64_t>(size_, parameters + 64 + std::uint64_t{body_size} * 4));
  if (!defaultable) track_initialisation(parameters);
}

void Locals::expand(std::uint32_t count) {
  for (const Run& run : runs_) {
    const std::uint32_t end = std::min(run.end, count);
    if (end > types_.size()) types_.resize(end, run.type);
  }
}

std::span<const wasm::ValType> Locals::all() {
  expand(size_);
  return types_;
}

wasm::ValType Locals::search(std::uint32_t index) const {
  return std::ranges::upper_bound(runs_, index, {}, &Run::end)->type;
}

void Locals::track_initialisation(std::uint32_t params) {
  set_.assign((size_ + 63) / 64, 0);
  unset_from_ = params;
  std::uint32_t begin = params;
  for (const Run& run : runs_) {
    if (run.type.is_defaultable()) {
      for (std::uint32_t i = begin; i < run.end; ++i) set_[i / 64] |= std::uint64_t{1} << (i % 64);
    }
    begin = run.end;
  }
}

void Locals::mark_set(std::uint32_t index) {
  std::uint64_t& word = set_[index / 64];
  const std::uint64_t bit = std::uint64_t{1} << (index % 64);
  if ((word & bit) != 0) return;
  word |= bit;
  set_order_.push_back(index);
}

void Locals::unset_to(std::uint32_t height) {
  for (; set_order_.size() > height; set_order_.pop_back()) {
    const std::uint32_t index = set_order_.back();
    set_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
  }
}

}  // namespace wasi::validate
