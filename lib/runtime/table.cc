// Tables: their creation and growth within limits.
#include <algorithm>
#include <exception>

#include "base/result.h"
#include "runtime/store.h"

namespace wasi::runtime {

namespace {

std::uint64_t most_elements(const wasm::TableType& type) { return type.limits.max.value_or(index_mask(type.address)); }

// Says what a table would have exceeded that cannot grow.
Result<void> resize(Table& table, std::uint64_t size, void* init) {
  const StoreLimits& limits = table.store->options().limits;
  if (size > limits.table_elements) {
    return fail(ErrorKind::limit, "a table of {} elements exceeds the store's limit of {}", size,
                limits.table_elements);
  }
  // Tables live as long as their store, so what they reserve is never released.
  const std::uint64_t added_bytes = (size - table.elements.size()) * sizeof(void*);
  if (!table.store->reserve_memory(added_bytes)) {
    return fail(ErrorKind::limit, "a table of {} elements cannot be had: the store allows {} bytes, too many are taken",
                size, limits.memory_bytes);
  }
  const std::uint64_t old_size = table.elements.size();
  if (!table.store->may_grow(Resource::table, old_size, size, most_elements(table.type))) {
    table.store->release_memory(added_bytes);
    return fail(ErrorKind::limit, "the embedder's limiter refuses a table of {} elements", size);
  }
  try {
    table.elements.resize(size, init);
  } catch (const std::exception&) {  // bad_alloc, or length_error where no vector is that long
    table.store->release_memory(added_bytes);
    return fail(ErrorKind::limit, "the host has no memory for a table of {} elements", size);
  }
  table.view.elements = table.elements.data();
  table.view.size = size;
  return {};
}

}  // namespace

Result<std::unique_ptr<Table>> Table::create(Store& store, const wasm::TableType& type, void* init) {
  auto table = std::make_unique<Table>();
  table->store = &store;
  table->type = type;
  table->view.index_mask = index_mask(type.address);
  WASI_TRY(resize(*table, type.limits.min, init));
  return table;
}

std::int64_t Table::grow(std::uint64_t delta, void* init) {
  const std::uint64_t old_size = view.size;
  const std::uint64_t maximum = most_elements(type);
  if (delta > maximum || old_size > maximum - delta) return -1;
  if (!resize(*this, old_size + delta, init)) return -1;
  return static_cast<std::int64_t>(old_size);
}

}  // namespace wasi::runtime
