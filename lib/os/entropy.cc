// See entropy.h.
#include "os/entropy.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "os/refusal.h"
#include "os/retry.h"
#include "os/unique_fd.h"

namespace wasi::os {

namespace {

ssize_t ask_kernel(std::span<std::uint8_t> bytes) {
  const ssize_t count = ::getrandom(bytes.data(), bytes.size(), 0);
  if (count >= 0 || !may_refuse_call(errno)) return count;
  const int refusal = errno;
  const UniqueFd device(retry([] { return ::open("/dev/urandom", O_RDONLY | O_CLOEXEC); }));
  if (device) return ::read(device.get(), bytes.data(), bytes.size());
  errno = refusal;
  return -1;
}

// Bytes of one thread's.
class Pool {
 public:
  Pool() = default;
  ~Pool() {
    if (page_ != nullptr) ::munmap(page_, sizeof(Page));
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // False: the kernel is to be asked.
  bool take(std::span<std::uint8_t> bytes) {
    if (bytes.size() > kMost || !is_ready()) return false;
    // What is left is 0 in a child, as all of the page.
    if (page_->left < bytes.size()) {
      const ssize_t count = ask_kernel(page_->bytes);
      if (count < static_cast<ssize_t>(kMost)) return false;
      page_->left = static_cast<std::size_t>(count);
    }
    page_->left -= bytes.size();
    std::uint8_t* const given = page_->bytes + page_->left;
    std::memcpy(bytes.data(), given, bytes.size());
    ::explicit_bzero(given, bytes.size());
    return true;
  }

 private:
  static constexpr std::size_t kMost = 64;
  // Programs that ask a few times, for seeds, are not worth a page.
  static constexpr int kFirst = 8;
  static constexpr std::size_t kPage = 4096;
  struct Page {
    std::size_t left;
    std::uint8_t bytes[kPage - sizeof(std::size_t)];
  };

  bool is_ready() {
    if (page_ != nullptr) return true;
    if (asked_ < kFirst) ++asked_;
    if (asked_ < kFirst || is_refused_) return false;
    void* const memory = ::mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    is_refused_ = memory == MAP_FAILED;
    if (is_refused_) return false;
    // Else parent and child would have the same bytes. And they stay out of core dumps.
    if (::madvise(memory, kPage, MADV_WIPEONFORK) != 0 || ::madvise(memory, kPage, MADV_DONTDUMP) != 0) {
      ::munmap(memory, kPage);
      is_refused_ = true;
      return false;
    }
    page_ = static_cast<Page*>(memory);
    return true;
  }

  Page* page_ = nullptr;
  int asked_ = 0;
  bool is_refused_ = false;
};

thread_local Pool pool;

}  // namespace

ssize_t random_bytes(std::span<std::uint8_t> bytes) {
  return pool.take(bytes) ? static_cast<ssize_t>(bytes.size()) : ask_kernel(bytes);
}

}  // namespace wasi::os
