// The list that debuggers read, and its entries.

#include "jit/common/gdb_jit.h"

#include <utility>

#include "base/guard.h"

// Names and layout are the debuggers'.
extern "C" {

enum JitAction : std::uint32_t { kNoAction = 0, kRegister = 1, kUnregister = 2 };

struct JitCodeEntry {
  JitCodeEntry* next;
  JitCodeEntry* previous;
  const std::uint8_t* file;
  std::uint64_t file_size;
};

struct JitDescriptor {
  std::uint32_t version;
  std::uint32_t action;
  JitCodeEntry* relevant;
  JitCodeEntry* first;
};

// A debugger has a breakpoint in here. Not inlined, not removed.
[[gnu::noinline, gnu::used]] void jit_debug_register_code() __asm__("__jit_debug_register_code");
void jit_debug_register_code() { asm volatile("" ::: "memory"); }

extern JitDescriptor jit_debug_descriptor __asm__("__jit_debug_descriptor");
[[gnu::used]] JitDescriptor jit_debug_descriptor = {1, kNoAction, nullptr, nullptr};
}

namespace wasi::jit {

namespace {

constinit std::mutex list_mutex;  // guards the descriptor and all entries in its list

void tell(JitAction action, JitCodeEntry& entry) {
  jit_debug_descriptor.relevant = &entry;
  jit_debug_descriptor.action = action;
  jit_debug_register_code();
  jit_debug_descriptor.action = kNoAction;
  jit_debug_descriptor.relevant = nullptr;
}

void add_to_list(JitCodeEntry& entry) {
  const std::lock_guard lock(list_mutex);
  entry.next = jit_debug_descriptor.first;
  if (entry.next != nullptr) entry.next->previous = &entry;
  jit_debug_descriptor.first = &entry;
  tell(kRegister, entry);
}

void remove_from_list(JitCodeEntry& entry) {
  const std::lock_guard lock(list_mutex);
  (entry.previous != nullptr ? entry.previous->next : jit_debug_descriptor.first) = entry.next;
  if (entry.next != nullptr) entry.next->previous = entry.previous;
  tell(kUnregister, entry);
}

}  // namespace

// In the list as long as it lives.
struct GdbJit::Described {
  explicit Described(std::vector<std::uint8_t> elf) : file(std::move(elf)) {
    entry.file = file.data();
    entry.file_size = file.size();
    add_to_list(entry);
  }
  ~Described() { remove_from_list(entry); }
  Described(const Described&) = delete;
  Described& operator=(const Described&) = delete;

  std::vector<std::uint8_t> file;
  JitCodeEntry entry = {};
};

GdbJit::GdbJit() = default;
GdbJit::~GdbJit() = default;

void GdbJit::code_added(const NamedCode& added) noexcept {
  const std::lock_guard lock(mutex_);
  const auto described = guarded([&] {
    auto& place = described_[added.code.data()];
    place.reset();  // nothing stays of what was there before
    place = std::make_unique<Described>(describe_as_elf(added));
  });
  if (!described && !failure_) failure_ = described.error();
}

void GdbJit::code_removed(std::span<const std::uint8_t> code) noexcept {
  const std::lock_guard lock(mutex_);
  described_.erase(code.data());
}

std::optional<Error> GdbJit::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

}  // namespace wasi::jit
