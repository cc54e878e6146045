// Hash-consing of recursion groups.
//
// Entries live in chunks that grow with their number and never move; the directory of chunks is an array of
// atomics, so at() is two loads. A chunk exists while one of its entries does. Everything that changes is behind one
// mutex. A group is found by a hash over its members in relative form; two groups are equal when their relative forms
// are, which is iso-recursive equality since every id in them is canonical already.
//
// The count of a group has one for each TypeRef, for each time that the group stands in a TypeList, and for each place
// in the definitions of other groups that names one of its members. Groups cannot refer to later ones, so there are no
// cycles. To let go of a group takes no memory.
//
// Subtyping is nominal: a type knows its first kDisplay ancestors (the display) and, for deeper
// hierarchies, a jump pointer that makes any ancestor reachable in logarithmically many steps. A full
// display would let a module of n types in one chain claim n^2 memory.
// Source: https://webassembly.github.io/spec/core/valid/conventions.html#defined-types
#include "wasm/type_registry.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <bit>
#include <mutex>
#include <new>

#include "base/check.h"
#include "wasm/id_space.h"
#include "wasm/limits.h"

namespace wasi::wasm {
namespace {

constexpr std::uint32_t kNoType = 0xFFFFFFFF;
constexpr std::uint32_t kDisplay = 6;
constexpr std::uint32_t kFirstChunkBits = 4;
constexpr std::uint32_t kFirstIds = 4U << kFirstChunkBits;  // in the first four chunks
constexpr std::uint32_t kChunkCount = 4 * 22;
static_assert(kFirstIds << 22 >= kMaxTypeIds + kFirstIds);

struct Entry {
  SubType type;
  std::uint32_t group_first = 0;
  std::uint32_t group_size = 0;
  std::uint32_t depth = 0;          // number of ancestors
  std::uint32_t parent = kNoType;   // the declared super
  std::uint32_t jump = kNoType;     // some ancestor, see set_ancestors
  std::uint32_t display[kDisplay];  // ancestors from the root on; at its own depth, the type itself
  // Of a group's first member, and guarded by the mutex.
  std::uint32_t hash = 0;
  std::uint32_t next = kNoType;  // the group behind it in its bucket, or among those that are to go
  std::uint64_t references = 0;
};

// Sizes double every four chunks, so at most a quarter of the memory waits for entries; the place of an id follows
// from its leading three bits.
constexpr std::size_t chunk_size(std::uint32_t chunk) { return std::size_t{1} << (kFirstChunkBits + chunk / 4); }
struct Place {
  std::uint32_t chunk;
  std::uint32_t slot;
};
Place place_of(std::uint32_t id) {
  const std::uint32_t shifted = id + kFirstIds;
  const auto bits = static_cast<std::uint32_t>(std::bit_width(shifted)) - 3;
  return {4 * (bits - kFirstChunkBits) + (shifted >> bits) - 4, shifted & ((1U << bits) - 1)};
}

class Hasher {
 public:
  void add(std::uint64_t value) {
    hash_ = (hash_ ^ value) * 0x9E3779B97F4A7C15ULL;
    hash_ ^= hash_ >> 29;
  }
  [[nodiscard]] std::uint64_t value() const { return hash_; }

 private:
  std::uint64_t hash_ = 0x243F6A8885A308D3ULL;
};

std::uint32_t hash_of(std::span<const SubType> group) {
  Hasher hash;
  hash.add(group.size());
  for (const SubType& type : group) {
    hash.add(static_cast<std::uint64_t>(type.kind) << 1 | static_cast<std::uint64_t>(type.is_final));
    hash.add(type.super ? type.super->bits() : ~0ULL);
    hash.add(type.func.params.size());
    for (const ValType param : type.func.params) hash.add(param.bits());
    for (const ValType result : type.func.results) hash.add(result.bits());
    for (const FieldType& field : type.fields) {
      hash.add(std::uint64_t{field.storage.unpacked().bits()} << 3 |
               static_cast<std::uint64_t>(field.storage.packed()) << 1 | static_cast<std::uint64_t>(field.is_mutable));
    }
  }
  return static_cast<std::uint32_t>(hash.value() >> 32);
}

HeapType absolute(HeapType type, std::uint32_t first) {
  return type.is_in_group() ? HeapType(TypeId(first + type.group_member())) : type;
}

ValType absolute(ValType type, std::uint32_t first) {
  return type.is_ref() ? ValType::ref(absolute(type.heap(), first), type.is_nullable()) : type;
}

// `relative`, a member of a group whose first id would be `first`, says the same as `stored`. A reference
// to an id of the stored group that is not relative unrolls the recursion: that is another type.
bool equal(HeapType relative, HeapType stored, const Entry& entry) {
  const bool own = stored.is_concrete() && stored.id().value - entry.group_first < entry.group_size;
  return own ? relative.is_in_group() && relative.group_member() == stored.id().value - entry.group_first
             : relative == stored;
}

bool equal(ValType relative, ValType stored, const Entry& entry) {
  if (!stored.is_ref()) return relative == stored;
  return relative.kind() == stored.kind() && equal(relative.heap(), stored.heap(), entry);
}

bool equal(const std::vector<ValType>& relative, const std::vector<ValType>& stored, const Entry& entry) {
  return std::ranges::equal(relative, stored, [&](ValType a, ValType b) { return equal(a, b, entry); });
}

bool equal(const SubType& relative, const Entry& entry) {
  const SubType& stored = entry.type;
  if (relative.kind != stored.kind || relative.is_final != stored.is_final) return false;
  if (relative.super.has_value() != stored.super.has_value()) return false;
  if (relative.super && !equal(*relative.super, *stored.super, entry)) return false;
  return equal(relative.func.params, stored.func.params, entry) &&
         equal(relative.func.results, stored.func.results, entry) &&
         std::ranges::equal(relative.fields, stored.fields, [&](const FieldType& a, const FieldType& b) {
           return a.is_mutable == b.is_mutable && a.storage.packed() == b.storage.packed() &&
                  equal(a.storage.unpacked(), b.storage.unpacked(), entry);
         });
}

SubType absolute(const SubType& type, std::uint32_t first) {
  SubType result = type;
  if (result.super) result.super = absolute(*result.super, first);
  for (ValType& param : result.func.params) param = absolute(param, first);
  for (ValType& r : result.func.results) r = absolute(r, first);
  for (FieldType& field : result.fields) {
    if (!field.storage.is_packed()) field.storage = absolute(field.storage.unpacked(), first);
  }
  return result;
}

// Calls `each` with the first id of another group for each place where the entry names a member of it.
template <class At, class Each>
void for_each_outside(const Entry& entry, const At& at, const Each& each) {
  const auto heap = [&](HeapType type) {
    if (!type.is_concrete() || type.id().value - entry.group_first < entry.group_size) return;
    each(at(type.id().value).group_first);
  };
  const auto value = [&](ValType type) {
    if (type.is_ref()) heap(type.heap());
  };
  if (entry.type.super) heap(*entry.type.super);
  for (const ValType param : entry.type.func.params) value(param);
  for (const ValType result : entry.type.func.results) value(result);
  for (const FieldType& field : entry.type.fields) value(field.storage.unpacked());
}

}  // namespace

struct TypeRegistry::Impl {
  ~Impl() {
    for (std::uint32_t id = 0; id < ids.end(); ++id) {
      if (ids.is_taken(id)) destroy(id);
    }
  }

  [[nodiscard]] Entry& at(std::uint32_t id) const {
    const Place place = place_of(id);
    return chunks[place.chunk].load(std::memory_order_acquire)[place.slot];
  }

  Entry& construct(std::uint32_t id) {
    const Place place = place_of(id);
    Entry* chunk = chunks[place.chunk].load(std::memory_order_relaxed);
    if (chunk == nullptr) {
      chunk = std::allocator<Entry>().allocate(chunk_size(place.chunk));
      chunks[place.chunk].store(chunk, std::memory_order_release);
    }
    ++entries[place.chunk];
    static_assert(std::is_nothrow_default_constructible_v<Entry>);
    return *new (chunk + place.slot) Entry{};
  }

  void destroy(std::uint32_t id) noexcept {
    const Place place = place_of(id);
    Entry* chunk = chunks[place.chunk].load(std::memory_order_relaxed);
    chunk[place.slot].~Entry();
    if (--entries[place.chunk] != 0) return;
    chunks[place.chunk].store(nullptr, std::memory_order_relaxed);
    std::allocator<Entry>().deallocate(chunk, chunk_size(place.chunk));
  }

  // Fills what is_subtype needs. The jump goes as far as two jumps of the parent where these span equal
  // distances, else to the parent: so any ancestor is O(log depth) steps away.
  void set_ancestors(Entry& entry, std::uint32_t id) const {
    std::ranges::fill(entry.display, kNoType);
    if (entry.type.super) {
      entry.parent = entry.type.super->id().value;
      const Entry& parent = at(entry.parent);
      entry.depth = parent.depth + 1;
      std::ranges::copy(parent.display, entry.display);
      entry.jump = entry.parent;
      if (parent.jump != kNoType) {
        const Entry& jump = at(parent.jump);
        if (jump.jump != kNoType && parent.depth - jump.depth == jump.depth - at(jump.jump).depth) {
          entry.jump = jump.jump;
        }
      }
    }
    if (entry.depth < kDisplay) entry.display[entry.depth] = id;
  }

  [[nodiscard]] bool holds(std::uint32_t first, std::span<const SubType> group) const {
    if (at(first).group_size != group.size()) return false;
    for (std::uint32_t i = 0; i < group.size(); ++i) {
      if (!equal(group[i], at(first + i))) return false;
    }
    return true;
  }

  [[nodiscard]] std::uint32_t& bucket_of(std::uint32_t hash) {
    return buckets[(hash * 0x9E3779B9U) >> (32 - std::bit_width(buckets.size() - 1))];
  }

  [[nodiscard]] std::optional<std::uint32_t> find(std::uint32_t hash, std::span<const SubType> group) {
    for (std::uint32_t first = bucket_of(hash); first != kNoType; first = at(first).next) {
      if (at(first).hash == hash && holds(first, group)) return first;
    }
    return std::nullopt;
  }

  void make_buckets() {
    if (groups < buckets.size()) return;
    const std::vector<std::uint32_t> old = std::exchange(buckets, std::vector(2 * buckets.size(), kNoType));
    for (std::uint32_t first : old) {
      while (first != kNoType) {
        const std::uint32_t next = std::exchange(at(first).next, std::exchange(bucket_of(at(first).hash), first));
        first = next;
      }
    }
  }

  // Ids with entries, which go again unless they are kept.
  class Construction {
   public:
    Construction(Impl& impl, std::uint32_t first, std::uint32_t size) : impl_(impl), first_(first), size_(size) {}
    ~Construction() {
      if (is_kept_) return;
      for (std::uint32_t i = 0; i < made_; ++i) impl_.destroy(first_ + i);
      impl_.ids.give_back(first_, size_);
    }
    Construction(const Construction&) = delete;
    Construction& operator=(const Construction&) = delete;

    void add(const SubType& type) {
      // A super stands before its subtypes: without that, ancestors would not be filled yet.
      const std::uint32_t id = first_ + made_;
      Entry& entry = impl_.construct(id);
      ++made_;
      entry.type = absolute(type, first_);
      entry.group_first = first_;
      entry.group_size = size_;
      WASI_CHECK(!entry.type.super || (entry.type.super->is_concrete() && entry.type.super->id().value != id &&
                                       impl_.ids.is_taken(entry.type.super->id().value)));
      impl_.set_ancestors(entry, id);
    }
    void keep() { is_kept_ = true; }

   private:
    Impl& impl_;
    std::uint32_t first_;
    std::uint32_t size_;
    std::uint32_t made_ = 0;
    bool is_kept_ = false;
  };

  // Adds a group that is not there yet.
  std::optional<std::uint32_t> add(std::uint32_t hash, std::span<const SubType> group) {
    if (group.size() > kMaxTypeIds) return std::nullopt;
    const auto size = static_cast<std::uint32_t>(group.size());
    make_buckets();
    const std::optional<std::uint32_t> first = ids.take(size);
    if (!first) return std::nullopt;
    Construction construction(*this, *first, size);
    for (const SubType& type : group) construction.add(type);
    construction.keep();
    for (std::uint32_t i = 0; i < size; ++i) {
      for_each_outside(
          at(*first + i), [this](std::uint32_t id) -> Entry& { return at(id); },
          [this](std::uint32_t other) { ++at(other).references; });
    }
    Entry& head = at(*first);
    head.hash = hash;
    head.next = std::exchange(bucket_of(hash), *first);
    ++groups;
    return first;
  }

  // Takes a reference from a group. One that has none left is found no more, and goes to the list `dead`.
  void release(std::uint32_t first, std::uint32_t& dead) noexcept {
    Entry& head = at(first);
    if (--head.references != 0) return;
    std::uint32_t* link = &bucket_of(head.hash);
    while (*link != first) link = &at(*link).next;
    *link = head.next;
    --groups;
    head.next = std::exchange(dead, first);
  }

  // Groups may stand in chains of any length, so one goes after the other.
  void release(std::uint32_t first) noexcept {
    std::uint32_t dead = kNoType;
    release(first, dead);
    while (dead != kNoType) {
      const std::uint32_t group = dead;
      const std::uint32_t size = at(group).group_size;
      dead = at(group).next;
      for (std::uint32_t i = 0; i < size; ++i) {
        for_each_outside(
            at(group + i), [this](std::uint32_t id) -> Entry& { return at(id); },
            [&](std::uint32_t other) { release(other, dead); });
      }
      for (std::uint32_t i = 0; i < size; ++i) destroy(group + i);
      ids.give_back(group, size);
    }
  }

  std::array<std::atomic<Entry*>, kChunkCount> chunks{};
  mutable std::mutex mutex;
  // Guarded by the mutex:
  std::array<std::uint32_t, kChunkCount> entries{};  // of each chunk
  IdSpace ids{kMaxTypeIds};
  std::vector<std::uint32_t> buckets = std::vector(16, kNoType);  // of groups, by hash: the first one's id
  std::uint32_t groups = 0;
};

TypeRegistry::TypeRegistry() : impl_(std::make_unique<Impl>()) {}
TypeRegistry::~TypeRegistry() = default;

TypeRef::~TypeRef() {
  if (registry_ != nullptr) registry_->release(id_);
}

TypeList::~TypeList() {
  for (std::size_t i = 0; i < ids_.size();) {
    const std::uint32_t size = registry_->group_size(ids_[i]);
    registry_->release(ids_[i]);
    i += size;
  }
}

void TypeList::add(TypeRef group) {
  if (!group) return;
  const std::size_t old_size = ids_.size();
  const std::uint32_t size = group.registry_->group_size(group.id());
  ids_.resize(old_size + size);
  for (std::uint32_t i = 0; i < size; ++i) ids_[old_size + i] = TypeId(group.id().value + i);
  registry_ = std::exchange(group.registry_, nullptr);
}

std::optional<TypeRef> TypeRegistry::add_group(std::span<const SubType> group) {
  if (group.empty()) return TypeRef();
  const std::uint32_t hash = hash_of(group);
  const std::lock_guard lock(impl_->mutex);
  std::optional<std::uint32_t> first = impl_->find(hash, group);
  if (!first) first = impl_->add(hash, group);
  if (!first) return std::nullopt;
  ++impl_->at(*first).references;
  return TypeRef(*this, TypeId(*first));
}

std::optional<TypeRef> TypeRegistry::add_func(FuncType type) {
  SubType sub;
  sub.func = std::move(type);
  return add_group({&sub, 1});
}

std::optional<TypeRef> TypeRegistry::hold(TypeId id) {
  const std::lock_guard lock(impl_->mutex);
  if (!impl_->ids.is_taken(id.value)) return std::nullopt;
  ++impl_->at(impl_->at(id.value).group_first).references;
  return TypeRef(*this, id);
}

void TypeRegistry::release(TypeId id) noexcept {
  const std::lock_guard lock(impl_->mutex);
  impl_->release(impl_->at(id.value).group_first);
}

bool TypeRegistry::contains(TypeId id) const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->ids.is_taken(id.value);
}

std::size_t TypeRegistry::size() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->ids.size();
}

std::uint32_t TypeRegistry::group_size(TypeId id) const { return impl_->at(id.value).group_size; }

const SubType& TypeRegistry::at(TypeId id) const { return impl_->at(id.value).type; }

std::uint32_t TypeRegistry::depth(TypeId id) const { return impl_->at(id.value).depth; }

bool TypeRegistry::is_subtype(TypeId sub, TypeId super) const {
  if (sub == super) return true;
  const Entry* type = &impl_->at(sub.value);
  const std::uint32_t depth = impl_->at(super.value).depth;
  if (depth >= type->depth) return false;
  if (depth < kDisplay) return type->display[depth] == super.value;
  std::uint32_t id = sub.value;
  while (type->depth > depth) {
    id = impl_->at(type->jump).depth >= depth ? type->jump : type->parent;
    type = &impl_->at(id);
  }
  return id == super.value;
}

AbstractHeap TypeRegistry::top_of(HeapType type) const {
  if (!type.is_abstract()) return at(type.id()).kind == CompositeKind::func ? AbstractHeap::func : AbstractHeap::any;
  switch (type.abstract()) {
    case AbstractHeap::func:
    case AbstractHeap::nofunc:
      return AbstractHeap::func;
    case AbstractHeap::extern_:
    case AbstractHeap::noextern:
      return AbstractHeap::extern_;
    case AbstractHeap::exn:
    case AbstractHeap::noexn:
      return AbstractHeap::exn;
    default:
      return AbstractHeap::any;
  }
}

bool TypeRegistry::matches(HeapType sub, HeapType super) const {
  if (sub == super) return true;
  if (sub.is_concrete() && super.is_concrete()) return is_subtype(sub.id(), super.id());
  if (top_of(sub) != top_of(super)) return false;
  if (sub.is_abstract()) {
    switch (sub.abstract()) {
      case AbstractHeap::none:
      case AbstractHeap::nofunc:
      case AbstractHeap::noextern:
      case AbstractHeap::noexn:
        return true;
      case AbstractHeap::i31:
      case AbstractHeap::struct_:
      case AbstractHeap::array:
        return super == AbstractHeap::eq || super == AbstractHeap::any;
      case AbstractHeap::eq:
        return super == AbstractHeap::any;
      default:
        return false;  // the tops match only themselves
    }
  }
  switch (at(sub.id()).kind) {
    case CompositeKind::func:
      return super == AbstractHeap::func;
    case CompositeKind::struct_:
      return super == AbstractHeap::struct_ || super == AbstractHeap::eq || super == AbstractHeap::any;
    case CompositeKind::array:
      return super == AbstractHeap::array || super == AbstractHeap::eq || super == AbstractHeap::any;
  }
  return false;
}

bool TypeRegistry::matches(ValType sub, ValType super) const {
  if (sub == super || sub.is_bottom()) return true;
  if (!sub.is_ref() || !super.is_ref()) return false;
  if (sub.is_nullable() && !super.is_nullable()) return false;
  return matches(sub.heap(), super.heap());
}

}  // namespace wasi::wasm
