// Reading into fresh memory, in blocks.
//
// What costs time is not copying but taking pages: ten megabytes of small ones cost more than decoding what is in them,
// large ones a quarter of that. And most of what is left hides behind decoding.

#include "os/file_content.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

#include "base/result.h"
#include "os/retry.h"

namespace wasi::os {

namespace {

std::unexpected<Error> io_error(const char* verb, const std::string& path, int error = errno) {
  return fail(ErrorKind::io, "cannot {} {}: {}", verb, path, std::generic_category().message(error));
}

// A device can go on for ever, and a file can be all holes.
constexpr std::size_t kMaxStreamBytes = 1U << 30;
constexpr std::size_t kMaxFileBytes = std::size_t{4} << 30;

constexpr std::size_t kFirstStreamBytes = 64U << 10;

// What fills a quarter of a large page is given one: it takes as long as a quarter in small ones.
constexpr std::size_t kLargePage = 2U << 20;
constexpr std::size_t kWorthLargePage = kLargePage / 4;

// Two threads that first touch the same large page would both clear one.
constexpr std::size_t kBlock = kLargePage;

constexpr int kCutOff = -1;

}  // namespace

Result<void> FileContent::reserve(std::size_t size) {
  const std::size_t whole = (size + kLargePage - kWorthLargePage) / kLargePage * kLargePage;
  if (whole != 0) {
    auto memory = Reservation::reserve_committed(round_up_to_pages(std::max(size, whole)) + kLargePage);
    if (memory) {
      const std::size_t offset = -reinterpret_cast<std::uintptr_t>(memory->base()) % kLargePage;
      memory->prefer_large_pages(offset, whole);
      memory_ = *std::move(memory);
      data_ = memory_.base() + offset;
      size_ = size;
      return {};
    }
  }
  memory_ = WASI_TRY(Reservation::reserve_committed(round_up_to_pages(size)));
  data_ = memory_.base();
  size_ = size;
  return {};
}

void FileContent::make_read_only() {
  // A safeguard against stray writes of the process itself: a refusal changes nothing.
  ::mprotect(memory_.base(), memory_.size(), PROT_READ);
}

void FileContent::share(std::span<const std::uint8_t> twin) const {
  // What is left of the last page stays.
  const std::size_t whole = size_ / page_size() * page_size();
  if (whole == 0 || twin.size() != size_) return;
  // The twin's mapping once more, in the place of these bytes; Linux 5.13 and later.
  ::mremap(const_cast<std::uint8_t*>(twin.data()), whole, whole, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP,
           data_);
}

Result<std::shared_ptr<const FileContent>> FileContent::open(const std::string& path) {
  const auto reading = WASI_TRY(FileReading::begin(path));
  WASI_TRY(reading->wait_for_all());
  return reading->content();
}

Result<std::shared_ptr<FileContent>> FileContent::read_stream(int fd, const std::string& name) {
  const std::shared_ptr<FileContent> content(new FileContent);
  std::size_t used = 0;
  while (true) {
    if (used == content->memory_.size()) {
      const auto grown = content->memory_.resize_committed(round_up_to_pages(std::max(used * 2, kFirstStreamBytes)));
      if (!grown) return fail(ErrorKind::io, "cannot read {}: {}", name, grown.error().message);
    }
    const ssize_t count =
        retry([&] { return ::read(fd, content->memory_.base() + used, content->memory_.size() - used); });
    if (count < 0) return io_error("read", name);
    if (count == 0) break;
    used += static_cast<std::size_t>(count);
    if (used > kMaxStreamBytes) {
      return fail(ErrorKind::limit, "cannot read {}: more than {} bytes", name, kMaxStreamBytes);
    }
  }
  if (used == 0) return fail(ErrorKind::io, "cannot use {}: it is empty", name);
  content->data_ = content->memory_.base();
  content->size_ = used;
  content->make_read_only();
  return content;
}

Result<std::unique_ptr<FileReading>> FileReading::begin(const std::string& path) {
  std::unique_ptr<FileReading> reading(new FileReading(path));
  reading->fd_ = UniqueFd(retry([&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
  if (!reading->fd_) return io_error("open", path);
  struct stat status = {};
  if (retry([&] { return ::fstat(reading->fd_.get(), &status); }) != 0) return io_error("read", path);
  if (S_ISDIR(status.st_mode)) return fail(ErrorKind::io, "cannot read {}: it is a directory", path);
  // Pipes and devices; files whose size says 0 though they have content, as in /proc.
  if (!S_ISREG(status.st_mode) || status.st_size <= 0) {
    reading->content_ = WASI_TRY(FileContent::read_stream(reading->fd_.get(), path));
    reading->blocks_.assign((reading->content_->size_ + kBlock - 1) / kBlock, Block::there);
    return reading;
  }

  const auto size = static_cast<std::uint64_t>(status.st_size);
  if (size > kMaxFileBytes) {
    return fail(ErrorKind::limit, "cannot read {}: more than {} bytes", path, kMaxFileBytes);
  }
  reading->content_.reset(new FileContent);
  if (const auto reserved = reading->content_->reserve(size); !reserved) {
    return fail(ErrorKind::io, "cannot read {}: {}", path, reserved.error().message);
  }
  reading->missing_ = (size + kBlock - 1) / kBlock;
  reading->blocks_.assign(reading->missing_, Block::unread);
  if (reading->missing_ > 1) {
    try {
      reading->reader_ = std::jthread([file = reading.get()](const std::stop_token& stop) {
        // The first one is for whoever asks, who would only wait for it.
        while (!stop.stop_requested() && file->read_next(1)) {
        }
      });
    } catch (const std::exception&) {  // bad_alloc, system_error: wait_for does all of it
    }
  }
  return reading;
}

FileReading::Range FileReading::place(std::size_t number) const {
  return {number * kBlock, std::min((number + 1) * kBlock, content_->size_)};
}

bool FileReading::read_next(std::size_t first) {
  std::size_t number = first;
  {
    const std::lock_guard lock(mutex_);
    if (error_ != 0) return false;
    while (number < blocks_.size() && blocks_[number] != Block::unread) ++number;
    if (number >= blocks_.size()) return false;
    blocks_[number] = Block::taken;
  }
  const int error = read_block(number);
  const std::lock_guard lock(mutex_);
  if (error != 0) {
    if (error_ == 0) error_ = error;
  } else {
    blocks_[number] = Block::there;
    if (--missing_ == 0) content_->make_read_only();
  }
  changed_.notify_one();
  return error == 0;
}

int FileReading::read_block(std::size_t number) {
  auto [at, end] = place(number);
  while (at < end) {
    const ssize_t count =
        retry([&] { return ::pread(fd_.get(), content_->data_ + at, end - at, static_cast<off_t>(at)); });
    if (count < 0) return errno;
    if (count == 0) return kCutOff;
    at += static_cast<std::size_t>(count);
  }
  return 0;
}

Result<FileReading::Range> FileReading::wait_for(Range range) {
  const std::size_t end = std::min(range.end, content_->size_);
  if (range.begin >= end) return range;
  const std::size_t first = range.begin / kBlock;
  const std::size_t last = (end - 1) / kBlock;
  for (std::size_t number = first; number <= last;) {
    {
      const std::lock_guard lock(mutex_);
      if (blocks_[number] == Block::there) {
        ++number;
        continue;
      }
    }
    // While another one reads the block, the next that nobody reads: it will be asked for, too.
    if (read_next(number)) continue;
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return blocks_[number] == Block::there || error_ != 0; });
    if (blocks_[number] == Block::there) continue;
    if (error_ == kCutOff) return fail(ErrorKind::io, "cannot read {}: it became shorter while it was read", path_);
    return io_error("read", path_, error_);
  }
  return Range{place(first).begin, place(last).end};
}

Result<void> FileReading::wait_for_all() {
  WASI_TRY(wait_for({0, content_->size_}));
  return {};
}

}  // namespace wasi::os
