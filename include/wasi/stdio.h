// What stands behind descriptor 0, 1 or 2 of a guest: the process's own streams, files, pipes, memory, functions.
#pragma once

#include <wasi/detail/export.h>
#include <wasi/detail/function.h>
#include <wasi/detail/memory.h>
#include <wasi/error.h>
#include <wasi/path_view.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

namespace wasi {

namespace detail {
struct Internals;
struct StreamSource;
}  // namespace detail

namespace preview1 {
class CapturedOutput;
}

// What a guest writes, kept in memory: Stdio::buffer makes it stdout or stderr, or both.
//
// A handle: copies are the same buffer. Thread-safe, also while guests write to it. It may outlive them.
class OutputBuffer {
 public:
  static constexpr std::size_t kDefaultLimit = std::size_t{16} << 20;

  // `limit`: the most bytes that it holds. A write beyond it stores what there is room for; one for which there is no
  // room at all fails in the guest with ENOSPC.
  WASI_API explicit OutputBuffer(std::size_t limit = kDefaultLimit);
  OutputBuffer(const OutputBuffer&) = default;  // no moves: a moved-from handle stays valid
  OutputBuffer& operator=(const OutputBuffer&) = default;
  // What has been written, from the first byte on.
  [[nodiscard]] WASI_API std::string text() const;
  // The same, and the buffer is empty again.
  [[nodiscard]] WASI_API std::string take() const;
  [[nodiscard]] WASI_API std::size_t size() const;

 private:
  friend class Stdio;
  std::shared_ptr<preview1::CapturedOutput> output_;
};

// How functions of the embedder's give and take bytes: how many were moved, or a refusal, which the guest sees as the
// errno of that name (std::errc::no_space_on_device is ENOSPC). 0 read is the end of the input.
//
// They are called on the thread on which the guest runs, by one thread at a time for one stream of one guest; guests
// that share a function may call it at once. They may wait, but nothing interrupts that: a function that has nothing
// yet may also answer std::errc::resource_unavailable_try_again. A guest that waits then asks again some milliseconds
// later, and is stopped by its deadline and its Interrupter; one that does not wait gets EAGAIN, and
// poll_oneoff finds them ready at any time. What they throw does not leave them: the guest gets EIO, as for a count of
// more bytes than there were.
//
// They may call the guest that called them, and change its memory, also its size: the bytes that they were given stay
// valid until they return. A guest that comes back to the same stream meanwhile gets EDEADLK.
using StreamReader = std::function<std::expected<std::size_t, std::errc>(std::span<std::uint8_t>)>;
using StreamWriter = std::function<std::expected<std::size_t, std::errc>(std::span<const std::uint8_t>)>;

// One of a guest's standard streams. A value: copies mean the same. What cannot be opened, or is of no use in the place
// where it was put (an OutputBuffer as stdin), is an error of Linker::instantiate.
class Stdio {
 public:
  Stdio(const Stdio&) = default;  // no moves: a moved-from handle stays valid
  Stdio& operator=(const Stdio&) = default;

  WASI_API static Stdio null();     // reads end at once, writes vanish
  WASI_API static Stdio inherit();  // the process's own
  // A descriptor of the embedder's: it is neither closed nor changed, and must stay open while the guest lives.
  WASI_API static Stdio fd(int descriptor);
  // A file of the host, opened when the guest is instantiated: for reading as stdin; as stdout or stderr it is created,
  // or cut to nothing. Two streams with one path are two openings, which overwrite each other: use append_to.
  WASI_API static Stdio file(PathView path);
  // The same, but what is there already stays and is written behind.
  WASI_API static Stdio append_to(PathView path);
  // Input: these bytes, each guest from the first on. They are not copied for it.
  WASI_API static Stdio bytes(std::string text);
  // Output: into the buffer.
  WASI_API static Stdio buffer(const OutputBuffer& buffer);
  // Input or output by a function.
  WASI_API static Stdio reader(StreamReader function);
  WASI_API static Stdio writer(StreamWriter function);

 private:
  friend class Pipe;
  friend struct detail::Internals;
  explicit Stdio(std::shared_ptr<const detail::StreamSource> source) : source_(std::move(source)) {}
  std::shared_ptr<const detail::StreamSource> source_;
};

// A pipe of the host with one end for a guest and one for the embedder, who reads or writes it with read() and write(),
// or hands it on. Movable. What comes through is a stream of bytes; a full pipe makes its writer wait.
class Pipe {
 public:
  // The embedder writes what the guest reads; and the other way round.
  WASI_API static Result<Pipe> to_guest();
  WASI_API static Result<Pipe> from_guest();
  WASI_API Pipe(Pipe&& other) noexcept;
  WASI_API Pipe& operator=(Pipe&& other) noexcept;
  WASI_API ~Pipe();  // closes the embedder's end

  // The guest's end, for one guest: it goes with the first that is instantiated with it, and is closed when that guest
  // closes it or its store goes. Until then the embedder sees no end of the guest's output. Another guest is an error.
  [[nodiscard]] WASI_API Stdio guest_end() const;
  // The embedder's end; -1 when it is closed. It is in blocking mode and closed by exec. Writing to a guest that has
  // closed its end raises SIGPIPE in this process, as with any pipe.
  [[nodiscard]] int fd() const { return fd_; }
  // Closes it: the guest sees the end of its input.
  WASI_API void close();
  // Leaves it to the caller, who closes it.
  [[nodiscard]] int release() { return std::exchange(fd_, -1); }

 private:
  Pipe(int fd, Stdio guest_end) : fd_(fd), guest_end_(std::move(guest_end)) {}
  WASI_API static Result<Pipe> make(bool guest_reads);
  int fd_;
  Stdio guest_end_;
};

}  // namespace wasi
