// See embedder_stream.h.
#include "wasi/embedder_stream.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <new>
#include <thread>
#include <utility>

namespace wasi::preview1 {
namespace {

class EmbedderStream : public File {
 public:
  // preview1 has no word for a pipe.
  explicit EmbedderStream(Rights transfer)
      : File(FileType::unknown, (right::kOfStreams & ~(right::fd_read | right::fd_write)) | transfer) {}

  [[nodiscard]] std::expected<FileStat, Errno> stat() const override { return FileStat{}; }
};

class BytesInput final : public EmbedderStream {
 public:
  explicit BytesInput(std::shared_ptr<const std::string> bytes)
      : EmbedderStream(right::fd_read), bytes_(std::move(bytes)) {}

  [[nodiscard]] std::uint64_t readable() const override {
    const std::lock_guard lock(mutex_);
    return bytes_->size() - position_;
  }
  Count read(Buffers buffers) override {
    const std::lock_guard lock(mutex_);
    std::size_t total = 0;
    for (const iovec& buffer : buffers) {
      const std::size_t size = std::min(buffer.iov_len, bytes_->size() - position_);
      if (size != 0) std::memcpy(buffer.iov_base, bytes_->data() + position_, size);
      position_ += size;
      total += size;
    }
    return total;
  }

 private:
  const std::shared_ptr<const std::string> bytes_;
  mutable std::mutex mutex_;
  std::size_t position_ = 0;
};

class CapturingStream final : public EmbedderStream {
 public:
  explicit CapturingStream(std::shared_ptr<CapturedOutput> output)
      : EmbedderStream(right::fd_write), output_(std::move(output)) {}
  Count write(Buffers buffers) override { return output_->append(buffers); }

 private:
  const std::shared_ptr<CapturedOutput> output_;
};

// A function's answer. What it throws stays here, and a count that it cannot have moved is not believed.
template <class Function, class Bytes>
Count ask(const Function& function, Bytes bytes) {
  try {
    const std::expected<std::size_t, std::errc> answer = function(bytes);
    if (answer) return *answer <= bytes.size() ? Count(*answer) : std::unexpected(Errno::io);
    const Errno error = errno_from_host(static_cast<int>(answer.error()));
    return std::unexpected(error == Errno::success ? Errno::io : error);
  } catch (...) {
    return std::unexpected(Errno::io);
  }
}

// Who calls a function: one thread at a time, and none that is in it already. A mutex would do, but not for a thread
// that comes back to the stream through its function and the guest, nor for one that is to be interrupted while it
// waits for another.
class Turn {
 public:
  // EDEADLK for the thread that has the turn; EAGAIN when others have kept it for a moment.
  Errno take() {
    const std::thread::id me = std::this_thread::get_id();
    std::unique_lock lock(mutex_);
    if (holder_ == me) return Errno::deadlk;
    if (!left_.wait_for(lock, kMoment, [&] { return holder_ == std::thread::id(); })) return Errno::again;
    holder_ = me;
    return Errno::success;
  }
  void leave() {
    {
      const std::lock_guard lock(mutex_);
      holder_ = std::thread::id();
    }
    left_.notify_one();
  }

 private:
  static constexpr std::chrono::milliseconds kMoment{10};
  std::mutex mutex_;  // of the holder, not held while the function runs
  std::condition_variable left_;
  std::thread::id holder_;
};

class FunctionInput final : public EmbedderStream {
 public:
  explicit FunctionInput(ReadFunction function) : EmbedderStream(right::fd_read), function_(std::move(function)) {}
  [[nodiscard]] bool is_function() const override { return true; }
  // One call: a second one might have to wait, with what the first gave in hand.
  Count read(Buffers buffers) override {
    const auto first = std::ranges::find_if(buffers, [](const iovec& buffer) { return buffer.iov_len != 0; });
    if (first == buffers.end()) return 0;
    if (const Errno error = turn_.take(); error != Errno::success) return std::unexpected(error);
    const Count moved =
        ask(function_, std::span<std::uint8_t>(static_cast<std::uint8_t*>(first->iov_base), first->iov_len));
    turn_.leave();
    return moved;
  }

 private:
  Turn turn_;
  const ReadFunction function_;
};

class FunctionOutput final : public EmbedderStream {
 public:
  explicit FunctionOutput(WriteFunction function) : EmbedderStream(right::fd_write), function_(std::move(function)) {}
  [[nodiscard]] bool is_function() const override { return true; }
  Count write(Buffers buffers) override {
    if (const Errno error = turn_.take(); error != Errno::success) return std::unexpected(error);
    const Count moved = write_all(buffers);
    turn_.leave();
    return moved;
  }

 private:
  Count write_all(Buffers buffers) {
    std::size_t total = 0;
    for (const iovec& buffer : buffers) {
      if (buffer.iov_len == 0) continue;
      const Count moved = ask(
          function_, std::span<const std::uint8_t>(static_cast<const std::uint8_t*>(buffer.iov_base), buffer.iov_len));
      if (!moved && total == 0) return moved;
      total += moved.value_or(0);
      if (moved.value_or(0) < buffer.iov_len) break;
    }
    return total;
  }

  Turn turn_;
  const WriteFunction function_;
};

}  // namespace

Count CapturedOutput::append(Buffers buffers) {
  const std::lock_guard lock(mutex_);
  std::size_t total = 0;
  for (const iovec& buffer : buffers) {
    const std::size_t size = std::min(buffer.iov_len, limit_ - std::min(limit_, bytes_.size()));
    if (size == 0 && buffer.iov_len != 0) break;
    try {
      bytes_.append(static_cast<const char*>(buffer.iov_base), size);
    } catch (const std::bad_alloc&) {
      break;
    }
    total += size;
  }
  const bool is_empty = std::ranges::all_of(buffers, [](const iovec& buffer) { return buffer.iov_len == 0; });
  if (total == 0 && !is_empty) return std::unexpected(Errno::nospc);
  return total;
}

std::string CapturedOutput::text() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::string CapturedOutput::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(bytes_, {});
}

std::size_t CapturedOutput::size() const {
  const std::lock_guard lock(mutex_);
  return bytes_.size();
}

std::shared_ptr<File> make_input(std::shared_ptr<const std::string> bytes) {
  return std::make_shared<BytesInput>(std::move(bytes));
}

std::shared_ptr<File> make_output(std::shared_ptr<CapturedOutput> output) {
  return std::make_shared<CapturingStream>(std::move(output));
}

std::shared_ptr<File> make_input(ReadFunction function) { return std::make_shared<FunctionInput>(std::move(function)); }

std::shared_ptr<File> make_output(WriteFunction function) {
  return std::make_shared<FunctionOutput>(std::move(function));
}

}  // namespace wasi::preview1
