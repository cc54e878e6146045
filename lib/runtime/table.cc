// Tables: their creation and growth within limits.
#include <algorithm>
#include <cstdint>
#include <exception>

#include "base/result.h"
#include "runtime/store.h"

namespace wasi::runtime {

namespace {

std::uint64_t most_elements(const wasm::TableType& type) { return type.limits.max.value_or(index_mask(type.address)); }

enum class Resized : std::uint8_t { done, too_many_elements, too_many_bytes, refused, no_memory };

// Allocates nothing but the elements: guests grow tables where memory has run out, too.
Resized resize(Table& table, std::uint64_t size, void* init) {
  if (size > table.store->options().limits.table_elements) return Resized::too_many_elements;
  // Tables live as long as their store, so what they reserve is never released.
  const std::uint64_t old_size = table.elements.size();
  const std::uint64_t added_bytes = (size - old_size) * sizeof(void*);
  if (!table.store->reserve_memory(added_bytes)) return Resized::too_many_bytes;
  if (!table.store->may_grow(Resource::table, old_size, size, most_elements(table.type))) {
    table.store->release_memory(added_bytes);
    return Resized::refused;
  }
  try {
    table.elements.resize(size, init);
  } catch (const std::exception&) {  // bad_alloc, or length_error where no vector is that long
    table.store->release_memory(added_bytes);
    return Resized::no_memory;
  }
  table.view.elements = table.elements.data();
  table.view.size = size;
  return Resized::done;
}

Result<void> created(Resized outcome, const StoreLimits& limits, std::uint64_t size) {
  switch (outcome) {
    case Resized::done:
      break;
    case Resized::too_many_elements:
      return fail(ErrorKind::limit, "a table of {} elements exceeds the store's limit of {}", size,
                  limits.table_elements);
    case Resized::too_many_bytes:
      return fail(ErrorKind::limit,
                  "a table of {} elements cannot be had: the store allows {} bytes, too many are taken", size,
                  limits.memory_bytes);
    case Resized::refused:
      return fail(ErrorKind::limit, "the embedder's limiter refuses a table of {} elements", size);
    case Resized::no_memory:
      return fail(ErrorKind::limit, "the host has no memory for a table of {} elements", size);
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<Table>> Table::create(Store& store, const wasm::TableType& type, void* init) {
  auto table = std::make_unique<Table>();
  table->store = &store;
  table->type = type;
  table->view.index_mask = index_mask(type.address);
  const std::uint64_t size = type.limits.min;
  WASI_TRY(created(resize(*table, size, init), store.options().limits, size));
  return table;
}

std::int64_t Table::grow(std::uint64_t delta, void* init) {
  const std::uint64_t old_size = view.size;
  const std::uint64_t maximum = most_elements(type);
  if (delta > maximum || old_size > maximum - delta) return -1;
  if (resize(*this, old_size + delta, init) != Resized::done) return -1;
  return static_cast<std::int64_t>(old_size);
}

}  // namespace wasi::runtime
