// What the host says about files, in preview1's words.
#pragma once

#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <ctime>
#include <expected>

#include "wasi/abi.h"

namespace wasi::preview1 {

// Of the system call that has just failed, and of one that returns 0 or -1.
inline Errno last_error() { return errno_from_host(errno); }
inline Errno checked(int result) { return result == 0 ? Errno::success : last_error(); }

// Whether poll() finds `events` on a descriptor now: success, EAGAIN, or its error. For what might block otherwise.
Errno check_ready(int fd, short events);

FileType file_type(mode_t mode);
// Of a host descriptor that is a socket.
FileType socket_type(int fd);
// Of a d_type; unknown where that says nothing.
FileType file_type_of_entry(unsigned char type);

// How many bytes a stream of the host can give at once; 0 where that is not known.
std::uint64_t bytes_to_read(int fd);

FileStat file_stat(const struct stat& status);
std::expected<FileStat, Errno> file_stat(int fd);

// Nanoseconds since 1970. Times before and after what 64 bits hold become the nearest that they hold.
std::uint64_t nanoseconds(const timespec& time);

// The times for utimensat from the arguments of fd_ and path_filestat_set_times; EINVAL for contradictory flags.
std::expected<std::array<timespec, 2>, Errno> file_times(std::uint64_t atim, std::uint64_t mtim, std::uint32_t flags);

}  // namespace wasi::preview1
