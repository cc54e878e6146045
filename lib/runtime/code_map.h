// Which function a pc belongs to, and what happens there: all machine code of the process, of every tier and engine.
//
// It is read by signal handlers: find() takes no lock, allocates nothing, never waits and never tries again. It is in
// the runtime, as the filter of memory faults is (memory_faults.h).
//
// How. Ranges stand sorted in leaves of up to kLeafEntries, and the leaves in a directory. Both are arrays that are
// never changed once they are reachable: whoever adds or removes a range copies its leaf, and the directory when a leaf
// comes or goes, and publishes the copy by one store. So a look-up is two bisections of neighbouring memory, whatever
// was being changed meanwhile, and a change costs the copy of a leaf; the directory's is spread over half a leaf of
// changes. (One sorted array would be copied for every function that a lazy tier compiles; a table by page of an arena
// would not know of code that is mapped from a file.)
//
// What was replaced is freed when nobody can be reading it: readers count themselves in and out, and a writer that sees
// none after its store frees all that was replaced so far; else a later writer does. The stores and the counter are
// sequentially consistent, so a reader that such a writer did not see counts itself in later, and finds what is new. A
// reader on a signal handler's stack is one more in the count, also when it interrupted a writer of the same thread.
// So removal waits for nobody, and find() answers with a copy. `owner` is only a number to the map: whoever removes a
// range sees to it that no thread is in its code, or asks for it by other means, when the owner goes.
//
// fork(): the child finds all that was there. If another thread was in find() then, what the child's map replaces is
// never freed; if one was changing the map, the child must not change it.
#pragma once

#include <wasi/error.h>
#include <wasi/trap.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <utility>

#include "runtime/offset_table.h"

namespace wasi::runtime {

// One function's machine code.
struct CodeRange {
  std::uintptr_t begin = 0;
  std::uintptr_t end = 0;  // behind its last byte
  const void* owner = nullptr;
  std::uint32_t function = 0;
  OffsetTable marks = {};                   // to the place in the module (marks.h)
  OffsetTable traps = {};                   // of instructions that may fault, to a TrapCode
  bool faults_anywhere = false;             // so may all others: TrapCode::memory_out_of_bounds
  std::shared_ptr<const void> tables = {};  // what both lie in, kept as long as anyone may read them
};

// What the map knows of a pc.
struct CodeLocation {
  std::uintptr_t begin = 0;  // of the range
  std::uintptr_t end = 0;
  const void* owner = nullptr;
  std::uint32_t function = 0;
  std::optional<std::uint64_t> mark = {};  // at the pc, or the last before it
  std::optional<TrapCode> trap = {};       // that a fault at exactly this pc means
};

class CodeMap {
 public:
  constexpr CodeMap() = default;
  // No entry and no reader is left by then.
  ~CodeMap();
  CodeMap(const CodeMap&) = delete;
  CodeMap& operator=(const CodeMap&) = delete;

  // Ends the entry when it goes. The map outlives it.
  class Entry {
   public:
    Entry() = default;
    ~Entry() { reset(); }
    Entry(Entry&& other) noexcept { *this = std::move(other); }
    Entry& operator=(Entry&& other) noexcept {
      std::swap(map_, other.map_);
      std::swap(begin_, other.begin_);
      return *this;
    }
    Entry(const Entry&) = delete;
    Entry& operator=(const Entry&) = delete;
    void reset();

   private:
    friend class CodeMap;
    Entry(CodeMap* map, std::uintptr_t begin) : map_(map), begin_(begin) {}
    CodeMap* map_ = nullptr;
    std::uintptr_t begin_ = 0;
  };

  // The range is not empty and overlaps no other. From now on its pcs are found. `limit` error without memory.
  Result<Entry> add(CodeRange range);

  // For a return address, ask for the byte before it: the call may be the last instruction of its function.
  // Async-signal-safe, from any thread.
  [[nodiscard]] std::optional<CodeLocation> find(std::uintptr_t pc) const noexcept;

  // How many ranges have been removed: while it is the same, what find() said of code that is still there holds. Read
  // it before asking.
  [[nodiscard]] std::uint64_t removals() const noexcept { return removals_.load(std::memory_order_acquire); }

 private:
  static constexpr std::size_t kLeafEntries = 60;  // what allocators still have at hand: glibc up to 1032 bytes
  struct Retired;
  struct Record;
  struct Leaf;
  struct Directory;
  struct NewLeaf;

  [[nodiscard]] static const Record* last_at_or_before(const Directory* directory, std::uintptr_t address) noexcept;
  void insert(Record* record);
  void remove(std::uintptr_t begin);
  void remove_from_leaf(std::size_t index, const Record* record);
  void replace_leaf(std::size_t index, std::unique_ptr<Leaf> leaf);
  void replace_leaves(std::size_t index, std::size_t count, std::span<NewLeaf> leaves);
  void retire(Retired* replaced);
  [[nodiscard]] Retired* take_unread();
  static void free(Retired* unread);

  std::atomic<Directory*> directory_{nullptr};
  mutable std::atomic<std::uint32_t> readers_{0};
  std::atomic<std::uint64_t> removals_{0};
  std::mutex writers_;
  Retired* retired_ = nullptr;  // guarded by writers_: unreachable, but perhaps being read
};

// The process's map. There from the start, and never destroyed.
CodeMap& code_map();

}  // namespace wasi::runtime
