// Tables: their creation and growth within limits.
#include <algorithm>
#include <exception>

#include "runtime/store.h"

namespace wasi::runtime {

namespace {

bool resize(Table& table, std::uint64_t size, void* init) {
  if (size > table.store->options().limits.table_elements) return false;
  // Tables live as long as their store, so what they reserve is never released.
  const std::uint64_t added_bytes = (size - table.elements.size()) * sizeof(void*);
  if (!table.store->reserve_memory(added_bytes)) return false;
  try {
    table.elements.resize(size, init);
  } catch (const std::exception&) {  // bad_alloc, or length_error where no vector is that long
    table.store->release_memory(added_bytes);
    return false;
  }
  table.view.elements = table.elements.data();
  table.view.size = size;
  return true;
}

}  // namespace

std::unique_ptr<Table> Table::create(Store& store, const wasm::TableType& type, void* init) {
  auto table = std::make_unique<Table>();
  table->store = &store;
  table->type = type;
  table->view.index_mask = index_mask(type.address);
  if (!resize(*table, type.limits.min, init)) return nullptr;
  return table;
}

std::int64_t Table::grow(std::uint64_t delta, void* init) {
  const std::uint64_t old_size = view.size;
  const std::uint64_t maximum = type.limits.max.value_or(index_mask(type.address));
  if (delta > maximum || old_size > maximum - delta) return -1;
  if (!resize(*this, old_size + delta, init)) return -1;
  return static_cast<std::int64_t>(old_size);
}

}  // namespace wasi::runtime
