// Both ways of having code memory, and how the host says no.

#include "os/code_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

#include "base/check.h"
#include "base/result.h"
#include "os/retry.h"

// Newer than the headers of some hosts that we build on.
#if !defined(MFD_NOEXEC_SEAL)
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#if !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23
#endif

namespace wasi::os {

namespace {

std::unexpected<Error> refused(const char* what) {
  return fail(ErrorKind::io, "{} was refused: {}", what, std::generic_category().message(errno));
}

Result<UniqueFd> create_file(std::size_t size) {
  // The seal says that no program is to be started from the file, which a host may insist on; mapping it is another
  // matter. Kernels before 6.3 do not know it.
  UniqueFd file(::memfd_create("wasirun-code", MFD_CLOEXEC | MFD_NOEXEC_SEAL));
  if (!file && errno == EINVAL) file = UniqueFd(::memfd_create("wasirun-code", MFD_CLOEXEC));
  if (!file) return refused("memfd_create");
  // A file beyond the limit is a signal that ends the process.
  rlimit limit = {};
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < size) {
    return fail(ErrorKind::io, "the limit of {} bytes per file is below {}", limit.rlim_cur, size);
  }
  if (retry([&] { return ::ftruncate(file.get(), static_cast<off_t>(size)); }) != 0) return refused("ftruncate");
  return file;
}

std::uint8_t* map(std::size_t size, int protection, int flags, int fd) {
  void* view = ::mmap(nullptr, size, protection, flags | MAP_NORESERVE, fd, 0);
  return view == MAP_FAILED ? nullptr : static_cast<std::uint8_t*>(view);
}

}  // namespace

CodeMemory& CodeMemory::operator=(CodeMemory&& other) noexcept {
  if (this != &other) {
    release();
    code_ = std::exchange(other.code_, nullptr);
    writable_ = std::exchange(other.writable_, nullptr);
    size_ = std::exchange(other.size_, 0);
    file_ = std::move(other.file_);
    process_mark_ = std::move(other.process_mark_);
  }
  return *this;
}

void CodeMemory::release() {
  // A forked process has no writable view: what is at its address belongs to others.
  if (writable_ != nullptr && check_process()) ::munmap(writable_, size_);
  if (code_ != nullptr) ::munmap(code_, size_);
  code_ = writable_ = nullptr;
}

Result<CodeMemory> CodeMemory::reserve(std::size_t size, CodeViews views) {
  WASI_CHECK(size != 0 && size % page_size() == 0);
  CodeMemory two;
  CodeMemory one;
  Result<void> first;
  if (views != CodeViews::one) {
    first = two.map_two_views(size);
    if (first) return two;
    if (views == CodeViews::two) return fail(ErrorKind::io, "no memory for machine code: {}", first.error().message);
  }
  if (const auto second = one.map_one_view(size); !second) {
    return fail(ErrorKind::io, "no memory for machine code: {}{}{}", first ? "" : first.error().message,
                first ? "" : "; ", second.error().message);
  }
  return one;
}

Result<void> CodeMemory::map_two_views(std::size_t size) {
  file_ = WASI_TRY(create_file(size));
  process_mark_ = WASI_TRY(Reservation::reserve_committed(page_size()));
  size_ = size;
  code_ = map(size, PROT_NONE, MAP_SHARED, file_.get());
  if (code_ == nullptr) return refused("mmap of a memfd");
  // The host is to say now whether it can be executed.
  WASI_TRY(map_code(0, page_size(), PROT_READ | PROT_EXEC));
  WASI_TRY(map_code(0, page_size(), PROT_NONE));
  std::uint8_t* const writable = map(size, PROT_NONE, MAP_SHARED, file_.get());
  if (writable == nullptr) return refused("mmap of a memfd");
  if (::madvise(writable, size, MADV_DONTFORK) != 0 ||
      ::madvise(process_mark_.base(), page_size(), MADV_WIPEONFORK) != 0) {
    const auto error = refused("keeping a memfd from forked processes");
    ::munmap(writable, size);
    return error;
  }
  process_mark_.base()[0] = 1;
  writable_ = writable;
  return {};
}

Result<void> CodeMemory::map_one_view(std::size_t size) {
  size_ = size;
  code_ = map(size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (code_ == nullptr) return refused("mmap");
  // The host is to say now whether what was written can be executed.
  WASI_TRY(commit(0, page_size()));
  return discard(0, page_size());
}

Result<void> CodeMemory::check_process() const {
  if (has_two_views() && process_mark_.base()[0] != 1) {
    return fail(ErrorKind::argument, "memory for machine code cannot be changed in a process forked since it was made");
  }
  return {};
}

// Not by mprotect: some hosts let no mapping become executable that was not made so.
Result<void> CodeMemory::map_code(std::size_t offset, std::size_t size, int protection) const {
  const int flags = MAP_SHARED | MAP_FIXED | MAP_NORESERVE;
  if (::mmap(code_ + offset, size, protection, flags, file_.get(), static_cast<off_t>(offset)) != MAP_FAILED) return {};
  return refused((protection & PROT_EXEC) != 0 ? "mmap of an executable memfd" : "mmap of a memfd");
}

Result<void> CodeMemory::protect(std::uint8_t* view, std::size_t offset, std::size_t size, int protection) const {
  if (::mprotect(view + offset, size, protection) == 0) return {};
  return refused((protection & PROT_EXEC) != 0 ? "mprotect of executable pages" : "mprotect of pages for machine code");
}

Result<void> CodeMemory::commit(std::size_t offset, std::size_t size) {
  WASI_CHECK(offset <= size_ && size <= size_ - offset);
  WASI_TRY(check_process());
  if (!has_two_views()) {
    WASI_TRY(protect(code_, offset, size, PROT_READ | PROT_WRITE));
    std::memset(code_ + offset, kTrapByte, size);
    return publish(offset, size);
  }
  // Asked for the memory, the host can say no; when a page that it does not have is touched there is a signal. The
  // first call is what every kernel has, the second also maps the pages, which is faster than faults one by one.
  const bool is_allocated =
      retry([&] { return ::fallocate(file_.get(), 0, static_cast<off_t>(offset), static_cast<off_t>(size)); }) == 0;
  const int error = errno;
  WASI_TRY(protect(writable_, offset, size, PROT_READ | PROT_WRITE));
  if (::madvise(writable_ + offset, size, MADV_POPULATE_WRITE) != 0 && !is_allocated) {
    errno = error;
    return refused("memory for machine code");
  }
  std::memset(writable_ + offset, kTrapByte, size);
  return map_code(offset, size, PROT_READ | PROT_EXEC);
}

Result<void> CodeMemory::discard(std::size_t offset, std::size_t size) {
  WASI_CHECK(offset <= size_ && size <= size_ - offset);
  WASI_TRY(check_process());
  if (!has_two_views()) {
    WASI_TRY(protect(code_, offset, size, PROT_NONE));
    if (::madvise(code_ + offset, size, MADV_DONTNEED) != 0) return refused("giving memory back");
    return {};
  }
  WASI_TRY(map_code(offset, size, PROT_NONE));
  WASI_TRY(protect(writable_, offset, size, PROT_NONE));
  const int hole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
  if (retry([&] { return ::fallocate(file_.get(), hole, static_cast<off_t>(offset), static_cast<off_t>(size)); }) !=
      0) {
    return refused("giving memory back");
  }
  return {};
}

Result<std::span<std::uint8_t>> CodeMemory::begin_write(std::size_t offset, std::size_t size) {
  WASI_CHECK(offset <= size_ && size <= size_ - offset);
  WASI_TRY(check_process());
  if (has_two_views()) return std::span(writable_ + offset, size);
  WASI_CHECK(offset % page_size() == 0);
  WASI_TRY(protect(code_, offset, round_up_to_pages(size), PROT_READ | PROT_WRITE));
  return std::span(code_ + offset, size);
}

Result<void> CodeMemory::publish(std::size_t offset, std::size_t size) {
  WASI_CHECK(offset <= size_ && size <= size_ - offset);
  if (!has_two_views()) WASI_TRY(protect(code_, offset, round_up_to_pages(size), PROT_READ | PROT_EXEC));
  auto* const begin = reinterpret_cast<char*>(code_ + offset);
  __builtin___clear_cache(begin, begin + size);  // no instruction on x86-64
  return {};
}

}  // namespace wasi::os
