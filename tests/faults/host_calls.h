// The seam for faults: system calls of the program, as libc names them, each of which may be made to fail or to move
// less than it was asked to.
//
// host_calls.cc defines these functions in the place of libc's, in a test's own binary or in a library for LD_PRELOAD.
// A call goes on to libc unless the judge has something against it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace wasi::test {

struct HostCall {
  const char* name;      // "readv"; "getdents64", "openat2", "close", "read" and "write" also through syscall()
  std::size_t size = 0;  // bytes to move, of a transfer
  // It asks not to be kept waiting, so that EAGAIN would be a sensible answer.
  bool refuses_to_wait = false;
  // It comes from the program itself rather than from a library that it uses.
  bool is_own = true;
  int fd = -1;  // of a transfer
};

struct Verdict {
  int error = 0;                // it fails with this instead of reaching the host; a close() closes nevertheless
  std::size_t most = SIZE_MAX;  // a transfer moves at most this many bytes
  bool hides_types = false;     // directory entries come without types, as some file systems have it
  bool hashes = false;          // positions in directories are large numbers, as of file systems that hash names
};

// Asked about every call of every thread, null for none.
using Judge = Verdict (*)(const HostCall& call);
void set_judge(Judge judge);

}  // namespace wasi::test
