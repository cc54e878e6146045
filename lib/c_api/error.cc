// Errors of the C interface.
#include "c_api/error.h"

#include <new>
#include <system_error>

#include "base/guard.h"

namespace wasi::c {

namespace {

thread_local std::optional<Error> last_error;

// Never deleted: what is told when there is no memory for telling anything.
wasirun_error_t& no_memory() {
  static auto* const error = new wasirun_error_t{out_of_memory(), "limit: out of memory"};
  return *error;
}
// Made while there is memory.
[[maybe_unused]] const wasirun_error_t& no_memory_made = no_memory();

}  // namespace

void set_last_error(Error error) noexcept { last_error = std::move(error); }

Error error_of_current_exception() noexcept {
  try {
    try {
      throw;
    } catch (const std::bad_alloc&) {
      return out_of_memory();
    } catch (const std::length_error&) {
      return out_of_memory();
    } catch (const std::system_error& error) {
      return refused_by_host(error);
    } catch (const std::exception& error) {
      return {.kind = ErrorKind::argument, .message = error.what()};
    } catch (...) {
      return {.kind = ErrorKind::argument, .message = "an exception of an unknown type"};
    }
  } catch (...) {
    return out_of_memory();
  }
}

wasirun_error_t* make_error(Error error) noexcept {
  try {
    auto made = std::make_unique<wasirun_error_t>();
    made->text = error.to_string();
    made->error = std::move(error);
    return made.release();
  } catch (const std::bad_alloc&) {
    return &no_memory();
  }
}

}  // namespace wasi::c

using namespace wasi;

void wasirun_error_delete(wasirun_error_t* error) {
  if (error != &c::no_memory()) delete error;
}

wasirun_error_kind_t wasirun_error_kind(const wasirun_error_t* error) {
  static_assert(static_cast<int>(ErrorKind::malformed) == WASIRUN_ERROR_MALFORMED &&
                static_cast<int>(ErrorKind::invalid) == WASIRUN_ERROR_INVALID &&
                static_cast<int>(ErrorKind::unsupported) == WASIRUN_ERROR_UNSUPPORTED &&
                static_cast<int>(ErrorKind::unlinkable) == WASIRUN_ERROR_UNLINKABLE &&
                static_cast<int>(ErrorKind::io) == WASIRUN_ERROR_IO &&
                static_cast<int>(ErrorKind::limit) == WASIRUN_ERROR_LIMIT &&
                static_cast<int>(ErrorKind::argument) == WASIRUN_ERROR_ARGUMENT);
  return static_cast<wasirun_error_kind_t>(error->error.kind);
}

const char* wasirun_error_message(const wasirun_error_t* error) { return error->text.c_str(); }

bool wasirun_error_offset(const wasirun_error_t* error, uint64_t* offset) {
  if (!error->error.offset) return false;
  *offset = *error->error.offset;
  return true;
}

bool wasirun_error_position(const wasirun_error_t* error, uint64_t* line, uint64_t* column) {
  const auto& text = error->error.text;
  if (!text) return false;
  *line = text->line;
  *column = text->column;
  return true;
}

wasirun_error_t* wasirun_last_error(void) {
  if (!c::last_error) return nullptr;
  Error error = *std::move(c::last_error);
  c::last_error.reset();
  return c::make_error(std::move(error));
}
