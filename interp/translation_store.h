// Where a module's translations live: memory that is only ever added to, and freed with the module.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "interp/translation.h"
#include "interp/translator.h"
#include "runtime/tier.h"

namespace wasi::interp {

class TranslationStore : public runtime::TierModule {
 public:
  // Bytes of what add() will make.
  static std::uint64_t size_of(const Translator& translator);
  // Copies what the translator has made. Thread-safe.
  const Translation* add(const Translator& translator);

 private:
  std::uint8_t* allocate(std::size_t size);
  const CatchTable* add(const CatchTableBuilder& catches);
  const OffsetTable* add(const OffsetTable& loops);
  template <class T>
  std::span<const T> copy(std::span<const T> from);

  std::mutex mutex_;
  std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;
  std::uint8_t* free_ = nullptr;
  std::size_t left_ = 0;
};

}  // namespace wasi::interp
