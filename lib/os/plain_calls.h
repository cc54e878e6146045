// System calls without what libc does around those at which a thread can be cancelled, two atomic exchanges each: a
// thread that runs guests never is. They return and set errno as libc's do.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>

#include "base/thread_sanitizer.h"

namespace wasi::os {

#if WASI_THREAD_SANITIZER
inline int close(int fd) { return ::close(fd); }
inline ssize_t read(int fd, void* bytes, std::size_t size) { return ::read(fd, bytes, size); }
inline ssize_t write(int fd, const void* bytes, std::size_t size) { return ::write(fd, bytes, size); }
#else
inline int close(int fd) { return static_cast<int>(::syscall(SYS_close, fd)); }
inline ssize_t read(int fd, void* bytes, std::size_t size) { return ::syscall(SYS_read, fd, bytes, size); }
inline ssize_t write(int fd, const void* bytes, std::size_t size) { return ::syscall(SYS_write, fd, bytes, size); }
#endif

}  // namespace wasi::os
