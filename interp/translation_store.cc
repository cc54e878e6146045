#include "interp/translation_store.h"

#include <algorithm>
#include <memory>
#include <new>

namespace wasi::interp {

namespace {

constexpr std::size_t kChunkSize = 64U << 10;
constexpr std::size_t kAlignment = alignof(Translation);

}  // namespace

std::uint8_t* TranslationStore::allocate(std::size_t size) {
  size = (size + kAlignment - 1) & ~(kAlignment - 1);
  if (size > left_) {
    // A large translation gets a chunk of its own, so that the current one stays in use.
    const bool is_large = size > kChunkSize / 4;
    chunks_.push_back(std::make_unique_for_overwrite<std::uint8_t[]>(is_large ? size : kChunkSize));
    if (is_large) return chunks_.back().get();
    free_ = chunks_.back().get();
    left_ = kChunkSize;
  }
  std::uint8_t* memory = free_;
  free_ += size;
  left_ -= size;
  return memory;
}

template <class T>
std::span<const T> TranslationStore::copy(std::span<const T> from) {
  auto* to = reinterpret_cast<T*>(allocate(from.size_bytes()));
  std::uninitialized_copy(from.begin(), from.end(), to);
  return {to, from.size()};
}

std::uint64_t TranslationStore::size_of(const Translator& translator) {
  const OffsetTable offsets = translator.offsets();
  const OffsetTable loops = translator.loops();
  return sizeof(Translation) + translator.code().size() + offsets.size_bytes() + translator.catches().size_bytes() +
         (loops.differences.empty() ? 0 : sizeof(OffsetTable) + loops.size_bytes());
}

const CatchTable* TranslationStore::add(const CatchTableBuilder& catches) {
  if (catches.empty()) return nullptr;
  const CatchTable from = catches.table();
  return new (allocate(sizeof(CatchTable))) CatchTable{copy(from.starts), copy(from.regions), copy(from.clauses)};
}

const OffsetTable* TranslationStore::add(const OffsetTable& loops) {
  if (loops.differences.empty()) return nullptr;
  return new (allocate(sizeof(OffsetTable))) OffsetTable{copy(loops.differences), copy(loops.index)};
}

const Translation* TranslationStore::add(const Translator& translator) {
  const std::span<const std::uint8_t> code = translator.code();
  const OffsetTable offsets = translator.offsets();
  const std::lock_guard lock(mutex_);
  const CatchTable* catches = add(translator.catches());
  const OffsetTable* loops = add(translator.loops());
  const std::span<const IndexedMark> index = offsets.index.empty() ? offsets.index : copy(offsets.index);
  std::uint8_t* memory = allocate(sizeof(Translation) + code.size() + offsets.differences.size());
  std::uint8_t* code_at = memory + sizeof(Translation);
  std::ranges::copy(code, code_at);
  std::ranges::copy(offsets.differences, code_at + code.size());
  return new (memory) Translation{.code = code_at,
                                  .frame_slots = translator.frame_slots(),
                                  .parameter_slots = translator.parameter_slots(),
                                  .local_slots = translator.local_slots(),
                                  .call_cost = translator.call_cost(),
                                  .code_size = static_cast<std::uint32_t>(code.size()),
                                  .offsets_size = static_cast<std::uint32_t>(offsets.differences.size()),
                                  .index_size = static_cast<std::uint32_t>(index.size()),
                                  .index = index.data(),
                                  .catches = catches,
                                  .loops = loops};
}

}  // namespace wasi::interp
