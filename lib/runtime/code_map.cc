// Copies of leaves and directories, the stores that publish them, and what readers may still see of the old ones.

#include "runtime/code_map.h"

#include <algorithm>
#include <limits>
#include <span>
#include <tuple>
#include <vector>

#include "base/check.h"
#include "base/guard.h"

namespace wasi::runtime {

static_assert(std::atomic<void*>::is_always_lock_free && std::atomic<std::uint32_t>::is_always_lock_free);

// What can be freed once no reader is left that may have found it.
struct CodeMap::Retired {
  virtual ~Retired() = default;
  Retired* next = nullptr;
};

struct CodeMap::Record : Retired {
  explicit Record(CodeRange described) : range(std::move(described)) {}
  const CodeRange range;
};

struct CodeMap::Leaf : Retired {
  struct Slot {
    std::uintptr_t begin = 0;
    std::atomic<Record*> record{nullptr};  // null: removed when there was no memory for a copy of the leaf
  };
  // The same for the writer. The begin stands beside the record, so that whoever copies leaves follows no pointers.
  struct Live {
    std::uintptr_t begin;
    Record* record;
  };

  static std::unique_ptr<Leaf> of(std::span<const Live> live) {
    auto leaf = std::make_unique<Leaf>();
    for (const Live& one : live) {
      Slot& slot = leaf->slots[leaf->count++];
      slot.begin = one.begin;
      slot.record.store(one.record, std::memory_order_relaxed);
    }
    return leaf;
  }
  // The first slot whose range begins beyond the address.
  [[nodiscard]] std::size_t behind(std::uintptr_t address) const {
    const auto begins_beyond = [](std::uintptr_t left, const Slot& right) { return left < right.begin; };
    return static_cast<std::size_t>(std::upper_bound(slots, slots + count, address, begins_beyond) - slots);
  }
  // For the writer: what is still there. Returns how many.
  std::size_t copy_live(Live* out) const {
    std::size_t live = 0;
    for (std::size_t i = 0; i < count; ++i) {
      Record* const record = slots[i].record.load(std::memory_order_relaxed);
      if (record != nullptr) out[live++] = {slots[i].begin, record};
    }
    return live;
  }

  std::size_t count = 0;
  Slot slots[kLeafEntries];
};

// Leaf i has what begins from firsts[i] on, up to firsts[i + 1]; firsts[0] is 0.
struct CodeMap::Directory : Retired {
  explicit Directory(std::size_t count) : firsts(count), leaves(count) {}
  [[nodiscard]] std::size_t leaf_of(std::uintptr_t address) const {
    return static_cast<std::size_t>(std::upper_bound(firsts.begin() + 1, firsts.end(), address) - firsts.begin()) - 1;
  }
  // For the writer, who alone changes it, so that the order does not matter.
  [[nodiscard]] Leaf& leaf(std::size_t index) const { return *leaves[index].load(std::memory_order_relaxed); }

  std::vector<std::uintptr_t> firsts;
  std::vector<std::atomic<Leaf*>> leaves;
};

struct CodeMap::NewLeaf {
  std::uintptr_t first = 0;
  std::unique_ptr<Leaf> leaf;
};

// The range that begins last at or before the address; where its leaf has none, it is in one before.
const CodeMap::Record* CodeMap::last_at_or_before(const Directory* directory, std::uintptr_t address) noexcept {
  if (directory == nullptr) return nullptr;
  for (std::size_t index = directory->leaf_of(address) + 1; index > 0; --index) {
    const Leaf& leaf = *directory->leaves[index - 1].load();
    for (std::size_t slot = leaf.behind(address); slot > 0; --slot) {
      const Record* const record = leaf.slots[slot - 1].record.load();
      if (record != nullptr) return record;
    }
  }
  return nullptr;
}

std::optional<CodeLocation> CodeMap::find(std::uintptr_t pc) const noexcept {
  std::optional<CodeLocation> found;
  readers_.fetch_add(1);
  const Record* const record = last_at_or_before(directory_.load(), pc);
  if (record != nullptr && pc < record->range.end) {
    const CodeRange& range = record->range;
    found = {.begin = range.begin, .end = range.end, .owner = range.owner, .function = range.function};
    const auto offset = static_cast<std::uint32_t>(pc - range.begin);
    if (const auto mark = range.marks.at_or_before(offset)) found->mark = mark->value;
    if (range.faults_anywhere) found->trap = TrapCode::memory_out_of_bounds;
    const auto trap = range.traps.at(offset);
    if (trap && *trap <= static_cast<std::uint64_t>(TrapCode::exit)) found->trap = static_cast<TrapCode>(*trap);
  }
  readers_.fetch_sub(1);
  return found;
}

Result<CodeMap::Entry> CodeMap::add(CodeRange range) {
  WASI_CHECK(range.begin < range.end && range.end - range.begin <= std::numeric_limits<std::uint32_t>::max());
  return guarded([&]() -> Result<Entry> {
    const std::uintptr_t begin = range.begin;
    auto record = std::make_unique<Record>(std::move(range));
    Retired* unread = nullptr;
    {
      const std::lock_guard lock(writers_);
      insert(record.get());
      std::ignore = record.release();  // the map's now
      unread = take_unread();
    }
    free(unread);
    return Entry(this, begin);
  });
}

void CodeMap::insert(Record* record) {
  const std::uintptr_t begin = record->range.begin;
  Directory* const directory = directory_.load(std::memory_order_relaxed);
  const Record* const before = last_at_or_before(directory, record->range.end - 1);
  WASI_CHECK(before == nullptr || before->range.end <= begin);
  if (directory == nullptr) {
    const Leaf::Live only{begin, record};
    auto leaf = Leaf::of({&only, 1});
    auto first = std::make_unique<Directory>(1);
    first->leaves[0].store(leaf.release(), std::memory_order_relaxed);
    directory_.store(first.release());
    return;
  }
  const std::size_t index = directory->leaf_of(begin);
  Leaf::Live all[kLeafEntries + 1];
  const std::size_t others = directory->leaf(index).copy_live(all);
  Leaf::Live* const place = std::upper_bound(
      all, all + others, begin, [](std::uintptr_t left, const Leaf::Live& right) { return left < right.begin; });
  const bool is_last = place == all + others;
  std::copy_backward(place, all + others, all + others + 1);
  *place = {begin, record};
  const std::size_t count = others + 1;
  if (count <= kLeafEntries) {
    replace_leaf(index, Leaf::of({all, count}));
    return;
  }
  // Code mostly comes in the order of addresses: then leaves stay full.
  const std::size_t cut = is_last ? count - 1 : count / 2;
  NewLeaf halves[] = {{directory->firsts[index], Leaf::of({all, cut})},
                      {all[cut].begin, Leaf::of({all + cut, count - cut})}};
  replace_leaves(index, 1, halves);
}

void CodeMap::Entry::reset() {
  if (map_ != nullptr) std::exchange(map_, nullptr)->remove(begin_);
}

void CodeMap::remove(std::uintptr_t begin) {
  Retired* unread = nullptr;
  {
    const std::lock_guard lock(writers_);
    removals_.fetch_add(1, std::memory_order_release);
    Directory& directory = *directory_.load(std::memory_order_relaxed);
    const std::size_t index = directory.leaf_of(begin);
    Leaf& leaf = directory.leaf(index);
    WASI_CHECK(leaf.behind(begin) != 0);
    const std::size_t slot = leaf.behind(begin) - 1;
    Record* const record = leaf.slots[slot].record.load(std::memory_order_relaxed);
    WASI_CHECK(record != nullptr && record->range.begin == begin);
    // To go takes no memory: without, the slot stays, empty.
    if (!guarded([&] { remove_from_leaf(index, record); })) leaf.slots[slot].record.store(nullptr);
    retire(record);
    unread = take_unread();
  }
  free(unread);
}

void CodeMap::remove_from_leaf(std::size_t index, const Record* record) {
  const Directory& directory = *directory_.load(std::memory_order_relaxed);
  Leaf::Live all[2 * kLeafEntries];
  std::size_t count = directory.leaf(index).copy_live(all);
  const auto is_it = [record](const Leaf::Live& one) { return one.record == record; };
  count = static_cast<std::size_t>(std::remove_if(all, all + count, is_it) - all);
  if (count == 0 && directory.leaves.size() > 1) {
    replace_leaves(index, 1, {});
    return;
  }
  // Few are left: with the leaf behind, if that leaves room.
  if (count <= kLeafEntries / 4 && index + 1 < directory.leaves.size()) {
    const std::size_t sum = count + directory.leaf(index + 1).copy_live(all + count);
    if (sum <= kLeafEntries / 2) {
      NewLeaf merged{directory.firsts[index], Leaf::of({all, sum})};
      replace_leaves(index, 2, {&merged, 1});
      return;
    }
  }
  replace_leaf(index, Leaf::of({all, count}));
}

void CodeMap::replace_leaf(std::size_t index, std::unique_ptr<Leaf> leaf) {
  Directory& directory = *directory_.load(std::memory_order_relaxed);
  Leaf& old = directory.leaf(index);
  directory.leaves[index].store(leaf.release());
  retire(&old);
}

// `leaves` in place of `count` leaves, in a new directory.
void CodeMap::replace_leaves(std::size_t index, std::size_t count, std::span<NewLeaf> leaves) {
  Directory& old = *directory_.load(std::memory_order_relaxed);
  const std::size_t old_size = old.leaves.size();
  auto directory = std::make_unique<Directory>(old_size - count + leaves.size());
  std::size_t next = 0;
  const auto append = [&](std::uintptr_t first, Leaf* leaf) {
    directory->firsts[next] = next == 0 ? 0 : first;
    directory->leaves[next++].store(leaf, std::memory_order_relaxed);
  };
  for (std::size_t i = 0; i < index; ++i) append(old.firsts[i], &old.leaf(i));
  for (NewLeaf& one : leaves) append(one.first, one.leaf.release());
  for (std::size_t i = index + count; i < old_size; ++i) append(old.firsts[i], &old.leaf(i));
  directory_.store(directory.release());
  for (std::size_t i = index; i < index + count; ++i) retire(&old.leaf(i));
  retire(&old);
}

void CodeMap::retire(Retired* replaced) {
  replaced->next = retired_;
  retired_ = replaced;
}

// What was replaced, if nobody reads; to be freed without the lock, since what it owns may be the last of its owner.
CodeMap::Retired* CodeMap::take_unread() { return readers_.load() == 0 ? std::exchange(retired_, nullptr) : nullptr; }

void CodeMap::free(Retired* unread) {
  while (unread != nullptr) delete std::exchange(unread, unread->next);
}

CodeMap::~CodeMap() {
  WASI_CHECK(readers_.load() == 0);
  free(retired_);
  const Directory* const directory = directory_.load();
  if (directory == nullptr) return;
  for (std::size_t i = 0; i < directory->leaves.size(); ++i) {
    Leaf::Live live[kLeafEntries];
    WASI_CHECK(directory->leaf(i).copy_live(live) == 0);
    delete &directory->leaf(i);
  }
  delete directory;
}

namespace {

union ProcessMap {
  constexpr ProcessMap() : map() {}
  ~ProcessMap() {}  // signals and other threads may come until the very end
  CodeMap map;
};
constinit ProcessMap process_map;

}  // namespace

CodeMap& code_map() { return process_map.map; }

}  // namespace wasi::runtime
