// Standard streams that end in the embedder: bytes, a buffer, functions.
//
// To the program they are pipes: they cannot be sought in and are no terminals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <system_error>

#include "wasi/file.h"

namespace wasi::preview1 {

// What a program has written, up to a limit. Thread-safe.
class CapturedOutput {
 public:
  explicit CapturedOutput(std::size_t limit) : limit_(limit) {}
  // ENOSPC when there is no room for any of it.
  Count append(Buffers buffers);
  [[nodiscard]] std::string text() const;
  std::string take();
  [[nodiscard]] std::size_t size() const;

 private:
  const std::size_t limit_;
  mutable std::mutex mutex_;
  std::string bytes_;
};

using ReadFunction = std::function<std::expected<std::size_t, std::errc>(std::span<std::uint8_t>)>;
using WriteFunction = std::function<std::expected<std::size_t, std::errc>(std::span<const std::uint8_t>)>;

// Each has a position of its own in `bytes`.
std::shared_ptr<File> make_input(std::shared_ptr<const std::string> bytes);
std::shared_ptr<File> make_output(std::shared_ptr<CapturedOutput> output);
// The functions are never called by two threads at once for one File, and not by one that is in them already: a guest
// that they call gets EDEADLK from the same File. An exception of theirs is EIO.
std::shared_ptr<File> make_input(ReadFunction function);
std::shared_ptr<File> make_output(WriteFunction function);

}  // namespace wasi::preview1
