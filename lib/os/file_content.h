// Files as bytes, in memory of their own.
#pragma once

#include <wasi/error.h>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "os/file_identity.h"
#include "os/unique_fd.h"
#include "os/virtual_memory.h"

namespace wasi::os {

// What stood in a file. It is read, not mapped: whoever changes the file, or cuts it off, changes nothing here, so what
// was checked is what is used. The bytes live as long as somebody holds the object and cannot be written to.
class FileContent {
 public:
  // Errors have the kind `io` and name the path: "cannot open x.wasm: No such file or directory". Pipes and devices
  // are read to their end. An empty file is an error, and one that becomes shorter while it is read.
  static Result<std::shared_ptr<const FileContent>> open(const std::string& path);

  // What a descriptor gives up to its end; `name` is for messages. Nothing is an error.
  static Result<std::shared_ptr<const FileContent>> read(int fd, const std::string& name) {
    return read_stream(fd, name);
  }

  [[nodiscard]] std::span<const std::uint8_t> bytes() const { return {data_, size_}; }

  // Gives its pages back for those of a mapped file, which all processes share that map it: `twin` holds the very same
  // bytes, lies in such a mapping (FileMapping), from a page's beginning on, and its file stays as it is from now on.
  // Also while others read. Nothing where the host cannot do it.
  void share(std::span<const std::uint8_t> twin) const;

 private:
  friend class FileReading;
  FileContent() = default;
  static Result<std::shared_ptr<FileContent>> read_stream(int fd, const std::string& name);
  // Room for so many bytes.
  Result<void> reserve(std::size_t size);
  void make_read_only();

  Reservation memory_;
  std::uint8_t* data_ = nullptr;  // within
  std::size_t size_ = 0;
};

// A file that is being read, in blocks: of a large one by a thread of its own, from the front, and by whoever waits for
// what has not been read. So whoever goes through it from the front hardly waits, and where no thread is to be had it
// is read all the same. One thread at a time waits.
class FileReading {
 public:
  // Bytes of the file, by their offsets.
  struct Range {
    std::size_t begin = 0;
    std::size_t end = 0;
  };

  // As FileContent::open, but for what shows only in reading.
  static Result<std::unique_ptr<FileReading>> begin(const std::string& path);

  // Its whole size; only what wait_for has told of may be looked at.
  [[nodiscard]] std::shared_ptr<const FileContent> content() const { return content_; }

  // Of the file now; empty where it is no regular one.
  [[nodiscard]] std::optional<FileIdentity> identity() const { return identity_of(fd_.get()); }

  // Waits for these bytes, or those of them that the file has, and says which around them are there.
  Result<Range> wait_for(Range range);
  Result<void> wait_for_all();

 private:
  enum class Block : std::uint8_t { unread, taken, there };

  explicit FileReading(std::string path) : path_(std::move(path)) {}
  // Takes and reads the first unread block from number `first` on; false where there is none.
  bool read_next(std::size_t first);
  // 0, an errno, or kCutOff.
  int read_block(std::size_t number);
  [[nodiscard]] Range place(std::size_t number) const;

  const std::string path_;  // for messages
  UniqueFd fd_;
  std::shared_ptr<FileContent> content_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Block> blocks_;
  std::size_t missing_ = 0;  // blocks that are not there
  int error_ = 0;            // the first of a block

  std::jthread reader_;  // ends before the rest does
};

}  // namespace wasi::os
