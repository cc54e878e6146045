// Whether a file is the one that it was, without reading it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace wasi::os {

// What the kernel changes where somebody writes to a file, or puts another one in its place; the time of its last
// change is nobody's to set. Two that are the same, and settled, are of the same contents, on this machine since it was
// started: boot_id().
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  std::int64_t modified = 0;  // nanoseconds, as the two clocks of files count them
  std::int64_t changed = 0;
  friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

// Of a regular file that is there.
std::optional<FileIdentity> identity_of(const std::string& path);
std::optional<FileIdentity> identity_of(int fd);

// Whether it has been so for a while: whoever reads a file and writes to it at the same time of the file system's clock
// leaves no trace. Some count in steps of two seconds.
bool is_settled(const FileIdentity& identity, std::chrono::nanoseconds settles_in = std::chrono::seconds(3));

// Which start of the machine this is; empty where the kernel does not say.
const std::string& boot_id();

}  // namespace wasi::os
