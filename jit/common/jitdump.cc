// Records as they stand in the file, in the machine's order of bytes.

#include "jit/common/jitdump.h"

#include <elf.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <system_error>
#include <utility>
#include <vector>

#include "base/guard.h"
#include "base/printable.h"
#include "base/result.h"
#include "os/virtual_memory.h"

namespace wasi::jit {

namespace {

constexpr std::uint32_t kMagic = 0x4A695444;  // "JiTD"
constexpr std::uint32_t kVersion = 1;
#if defined(__aarch64__)
constexpr std::uint32_t kMachine = EM_AARCH64;
#else
constexpr std::uint32_t kMachine = EM_X86_64;
#endif

struct Header {
  std::uint32_t magic = kMagic;
  std::uint32_t version = kVersion;
  std::uint32_t total_size = 0;
  std::uint32_t elf_mach = kMachine;
  std::uint32_t pad = 0;
  std::uint32_t pid = 0;
  std::uint64_t timestamp = 0;
  std::uint64_t flags = 0;
};
static_assert(sizeof(Header) == 40);

enum RecordId : std::uint32_t { kCodeLoad = 0, kDebugInfo = 2, kClose = 3 };

struct RecordHeader {
  std::uint32_t id = 0;
  std::uint32_t total_size = 0;
  std::uint64_t timestamp = 0;
};

struct CodeLoad {
  std::uint32_t pid = 0;
  std::uint32_t tid = 0;
  std::uint64_t vma = 0;
  std::uint64_t code_addr = 0;
  std::uint64_t code_size = 0;
  std::uint64_t code_index = 0;
};

struct DebugInfo {
  std::uint64_t code_addr = 0;
  std::uint64_t entry_count = 0;
};

struct DebugEntry {
  std::uint64_t code_addr = 0;
  std::uint32_t line = 0;
  std::uint32_t discriminator = 0;
};

constexpr std::string_view kDebugFile = "wasm";

std::uint64_t now() {
  timespec time = {};
  ::clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<std::uint64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(time.tv_nsec);
}

template <class T>
std::span<const std::uint8_t> bytes_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof(T)};
}

// A record that grows, and knows its size in the end.
class Record {
 public:
  explicit Record(RecordId id) { append(bytes_of(RecordHeader{.id = id, .total_size = 0, .timestamp = now()})); }
  void append(std::span<const std::uint8_t> bytes) { bytes_.insert(bytes_.end(), bytes.begin(), bytes.end()); }
  void append_text(std::string_view text) {
    append({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
    bytes_.push_back(0);
  }
  std::span<const std::uint8_t> finish() {
    const auto size = static_cast<std::uint32_t>(bytes_.size());
    std::copy_n(bytes_of(size).data(), sizeof(size), bytes_.data() + offsetof(RecordHeader, total_size));
    return bytes_;
  }

 private:
  std::vector<std::uint8_t> bytes_;
};

}  // namespace

Result<std::shared_ptr<Jitdump>> Jitdump::create(const std::string& path) {
  return guarded([&]() -> Result<std::shared_ptr<Jitdump>> {
    ToolFile file = WASI_TRY(ToolFile::create(path));
    std::shared_ptr<Jitdump> dump(new Jitdump(std::move(file)));
    WASI_TRY(dump->begin());
    return dump;
  });
}

Result<std::shared_ptr<Jitdump>> Jitdump::of_process(const std::string& directory) {
  struct Shared {
    std::mutex mutex;
    std::shared_ptr<Jitdump> dump;
  };
  // The last engine's going does not end it: another may come.
  static auto* const shared = new Shared;
  const std::lock_guard lock(shared->mutex);
  if (shared->dump == nullptr) shared->dump = WASI_TRY(create(fmt::format("{}/jit-{}.dump", directory, ::getpid())));
  return shared->dump;
}

Result<void> Jitdump::begin() {
  Header header;
  header.total_size = sizeof(Header);
  header.pid = static_cast<std::uint32_t>(::getpid());
  header.timestamp = now();
  file_.write(bytes_of(header));
  if (file_.failure()) return std::unexpected(*file_.failure());
  void* const page = ::mmap(nullptr, os::page_size(), PROT_READ | PROT_EXEC, MAP_PRIVATE, file_.descriptor(), 0);
  if (page == MAP_FAILED) {
    return fail(ErrorKind::io, "cannot map {} as executable, by which perf would find it: {}", file_.path(),
                std::generic_category().message(errno));
  }
  marker_ = page;
  return {};
}

Jitdump::~Jitdump() {
  if (marker_ == nullptr) return;
  file_.write(bytes_of(RecordHeader{.id = kClose, .total_size = sizeof(RecordHeader), .timestamp = now()}));
  ::munmap(marker_, os::page_size());
}

void Jitdump::code_added(const NamedCode& added) noexcept {
  const std::lock_guard lock(mutex_);
  const auto written = guarded([&]() -> Result<void> {
    const auto address = reinterpret_cast<std::uint64_t>(added.code.data());
    if (added.code.size() > std::numeric_limits<std::uint32_t>::max() / 2 ||
        added.marks.size() > std::numeric_limits<std::uint32_t>::max() / 64) {
      return fail(ErrorKind::limit, "a function of {} bytes is too large for a record", added.code.size());
    }
    // What is said of a function's lines stands before it.
    if (!added.marks.empty()) {
      Record lines(kDebugInfo);
      lines.append(bytes_of(DebugInfo{.code_addr = address, .entry_count = added.marks.size()}));
      for (const runtime::OffsetEntry& mark : added.marks) {
        const auto line = std::min<std::uint64_t>(mark.value, std::numeric_limits<std::uint32_t>::max());
        lines.append(bytes_of(DebugEntry{
            .code_addr = address + mark.code_offset, .line = static_cast<std::uint32_t>(line), .discriminator = 0}));
        lines.append_text(kDebugFile);
      }
      file_.write(lines.finish());
    }
    Record load(kCodeLoad);
    load.append(bytes_of(CodeLoad{.pid = static_cast<std::uint32_t>(::getpid()),
                                  .tid = static_cast<std::uint32_t>(::syscall(SYS_gettid)),
                                  .vma = address,
                                  .code_addr = address,
                                  .code_size = added.code.size(),
                                  .code_index = next_index_++}));
    load.append_text(printable(added.name));
    load.append(added.code);
    file_.write(load.finish());
    return {};
  });
  if (!written) file_.fail_with(written.error());
}

void Jitdump::code_removed(std::span<const std::uint8_t> /*code*/) noexcept {}

std::optional<Error> Jitdump::failure() const {
  const std::lock_guard lock(mutex_);
  return file_.failure();
}

}  // namespace wasi::jit
