// When to collect: when as much has been allocated since the last collection as was alive then (at least
// kGcMinimumBudget), or when there is no memory left.
#include "runtime/gc_heap.h"

#include <algorithm>
#include <cstring>

#include "runtime/gc_heap_mark.h"
#include "runtime/store.h"
#include "runtime/tuning.h"

namespace wasi::runtime {

GcHeap::GcHeap(Store& store, GcOptions options)
    : store_(store),
      state_(store.exec().gc),
      options_(options),
      layouts_(store.registry()),
      blocks_(options.limit_bytes),
      budget_(kGcMinimumBudget) {
  state_.heap = this;
}

GcHeap::~GcHeap() { state_ = {}; }

namespace {

// Layouts may move when some are added, also where memory runs out on the way.
struct LayoutsFollower {
  GcState& state;
  const TypeLayouts& layouts;
  ~LayoutsFollower() { state.layouts = layouts.data(); }
};

}  // namespace

void GcHeap::add_types(std::span<const wasm::TypeId> types) {
  const LayoutsFollower follower{state_, layouts_};
  layouts_.add(types);
}

void GcHeap::add_exception_type(wasm::TypeId type) {
  const LayoutsFollower follower{state_, layouts_};
  layouts_.add_exception(type);
}

std::uint8_t* GcHeap::take_from_blocks(std::uint32_t size_class, std::uint64_t bytes) {
  if (size_class == kLargeClass) {
    budget_ -= std::min(budget_, bytes);
    return blocks_.take_large(bytes);
  }
  Cursor cursor = blocks_.take_cells(size_class);
  if (cursor.next == nullptr) return nullptr;
  budget_ -= std::min(budget_, static_cast<std::uint64_t>(cursor.end - cursor.next));
  std::uint8_t* cell = cursor.next;
  cursor.next += cell_bytes_of(size_class);
  // Under stress every allocation comes here, and the next collection finds the rest again.
  if (!options_.is_stressed) state_.cursors[size_class] = cursor;
  return cell;
}

std::uint8_t* GcHeap::take_slowly(std::uint64_t bytes) {
  const std::uint32_t size_class = size_class_of(bytes);
  const bool is_time = options_.is_stressed || budget_ == 0 || (size_class == kLargeClass && bytes > budget_);
  if (is_time) collect();
  std::uint8_t* memory = take_from_blocks(size_class, bytes);
  if (memory != nullptr || is_time) return memory;
  collect();
  // Were it used to the last byte, almost every allocation would have to collect.
  const std::uint64_t reserve = options_.limit_bytes / kGcReserveDivisor;
  if (blocks_.marked_bytes() > options_.limit_bytes - reserve) return nullptr;
  return take_from_blocks(size_class, bytes);
}

namespace {

Object* place(std::uint8_t* memory, std::uint64_t head, std::uint64_t bytes) {
  if (memory == nullptr) return nullptr;
  std::memset(memory + sizeof(Object), 0, bytes - sizeof(Object));
  return Object::at(memory, head);
}

}  // namespace

Object* GcHeap::allocate_structure(wasm::TypeId type) {
  const std::uint64_t bytes = sizeof(Object) + std::uint64_t{layouts_[type].words} * sizeof(Slot);
  return place(take(bytes), Object::head({ObjectKind::structure, type}), bytes);
}

Object* GcHeap::allocate_array(wasm::TypeId type, std::uint32_t length) {
  const std::uint64_t bytes = sizeof(Object) + (std::uint64_t{length} << layouts_[type].element_shift);
  return place(take(bytes), Object::head({ObjectKind::array, type}, length), bytes);
}

Object* GcHeap::allocate_exception(wasm::TypeId type) {
  const std::uint64_t bytes = sizeof(Object) + std::uint64_t{layouts_[type].words} * sizeof(Slot);
  return place(take(bytes), Object::head({ObjectKind::exception, type}), bytes);
}

std::uint64_t GcHeap::allocate_host_object(std::shared_ptr<void> object, const void* type, std::uint64_t size) {
  auto entry = std::make_unique<HostObject>();
  entry->bytes = kHostObjectBytes + size;
  entry->type = type;
  // They take no memory of blocks, but guests make the host take it.
  const auto has_room = [&] {
    return options_.limit_bytes >= blocks_.used_bytes() &&
           entry->bytes <= options_.limit_bytes - blocks_.used_bytes() &&
           host_objects_.bytes() <= options_.limit_bytes - blocks_.used_bytes() - entry->bytes;
  };
  if (budget_ < entry->bytes || !has_room()) collect();
  if (!has_room()) return 0;
  budget_ -= std::min(budget_, entry->bytes);
  constexpr std::uint64_t kBytes = sizeof(Object) + sizeof(Slot);
  Object* const cell = place(take(kBytes), Object::head({ObjectKind::host, wasm::TypeId(0)}), kBytes);
  if (cell == nullptr) return 0;
  cell->words()->ref = entry.get();
  entry->object = std::move(object);
  entry->cell = cell;
  host_objects_.add(std::move(entry));
  return reinterpret_cast<std::uint64_t>(cell) | kHostObjectTag;
}

void GcHeap::destroy_dead_host_objects() {
  while (host_objects_.destroy_one()) {
  }
}

std::shared_ptr<const HostRoot> GcHeap::keep(std::uint64_t reference) const {
  return std::make_shared<const HostRoot>(host_roots_, reference);
}

void GcHeap::collect() {
  std::ranges::fill(state_.cursors, Cursor{});
  blocks_.begin_marking();
  Marker marker(blocks_, layouts_.data());
  store_.mark_roots(marker);
  mark_own_roots(marker);
  marker.finish();
  host_objects_.find_dead(blocks_);
  if (host_objects_.has_dead()) store_.ask_to_settle();
  blocks_.end_marking();
  budget_ = std::max<std::uint64_t>(kGcMinimumBudget, blocks_.marked_bytes() + host_objects_.bytes());
  // Blocks that are used in part cost a part as well.
  blocks_.trim(blocks_.used_bytes() + 2 * budget_);
  ++collections_;
}

GcStatistics GcHeap::statistics() const {
  return {.collections = collections_,
          .live_bytes = blocks_.marked_bytes(),
          .used_bytes = blocks_.used_bytes(),
          .reserved_bytes = blocks_.reserved_bytes(),
          .host_objects = host_objects_.live()};
}

}  // namespace wasi::runtime
