// Memory for machine code: a range of address space that is never writable and executable at the same address.
//
// There are two ways, of which the host decides:
// - Two views of one memfd: one readable and executable, where code runs, the other readable and writable, elsewhere.
//   Code is written while its neighbours run, at no system call.
// - One private mapping, where no memfd is to be had or none may be executable: pages become writable to be written,
//   and executable again by publish(). What is written at different times must not share a page: write_unit().
// Where the host lets neither be executable (a filter of system calls, SELinux, a noexec policy) there is an Error that
// says what was refused, and whoever asked goes on without machine code.
//
// All is inaccessible until committed. What is committed holds trap instructions until something else is written.
//
// fork(): the child keeps the executable view, so that it may still leave frames of machine code. With two views it
// shares the memory with its parent, so it is not given the writable one, and every change is an Error there: it can do
// the parent no harm, but the code goes from under it when the parent frees it. A child that is to run guests makes its
// memory anew. With one view, a child has a copy.
//
// Not thread-safe as an object; different committed ranges may be written at once.
#pragma once

#include <wasi/error.h>

#include <cstddef>
#include <cstdint>
#include <span>

#include "os/unique_fd.h"
#include "os/virtual_memory.h"

namespace wasi::os {

// What memory without code is filled with: a byte whose repetition traps wherever it is entered.
#if defined(__aarch64__)
inline constexpr std::uint8_t kTrapByte = 0x00;  // udf #0
#else
inline constexpr std::uint8_t kTrapByte = 0xCC;  // int3
#endif

// The ways to have code memory; `any` is two views, or else one.
enum class CodeViews : std::uint8_t { any, two, one };

class CodeMemory {
 public:
  CodeMemory() = default;
  ~CodeMemory() { release(); }
  CodeMemory(CodeMemory&& other) noexcept { *this = std::move(other); }
  CodeMemory& operator=(CodeMemory&& other) noexcept;
  CodeMemory(const CodeMemory&) = delete;
  CodeMemory& operator=(const CodeMemory&) = delete;

  // `size` is in whole pages. `io` error where the host refuses memory, descriptors or executable pages.
  static Result<CodeMemory> reserve(std::size_t size, CodeViews views = CodeViews::any);

  // Where code runs.
  [[nodiscard]] const std::uint8_t* code() const { return code_; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] bool has_two_views() const { return writable_ != nullptr; }
  [[nodiscard]] std::size_t write_unit() const { return has_two_views() ? 1 : page_size(); }

  // Gives [offset, offset + size), in whole pages, memory, of which trap instructions can be executed. Memory that the
  // host does not have is an Error here, no signal later.
  Result<void> commit(std::size_t offset, std::size_t size);
  // Takes the memory back: the range, in whole pages, is inaccessible from now on. After an Error it may be so or not.
  Result<void> discard(std::size_t offset, std::size_t size);

  // Where committed bytes that nobody executes can be written, until publish() of the same range.
  Result<std::span<std::uint8_t>> begin_write(std::size_t offset, std::size_t size);
  // What was written can be executed, by every thread that learns of it from now on (through an atomic pointer, or the
  // like). x86-64 needs nothing for it: other processors see writes to what they have not begun to execute, and whoever
  // frees code knows that no thread is in it.
  Result<void> publish(std::size_t offset, std::size_t size);

 private:
  Result<void> map_two_views(std::size_t size);
  Result<void> map_one_view(std::size_t size);
  Result<void> check_process() const;
  Result<void> map_code(std::size_t offset, std::size_t size, int protection) const;
  Result<void> protect(std::uint8_t* view, std::size_t offset, std::size_t size, int protection) const;
  void release();

  std::uint8_t* code_ = nullptr;
  std::uint8_t* writable_ = nullptr;  // of two views
  std::size_t size_ = 0;
  UniqueFd file_;             // of two views
  Reservation process_mark_;  // of two views: a page that begins with 1, and with 0 in forked processes
};

}  // namespace wasi::os
