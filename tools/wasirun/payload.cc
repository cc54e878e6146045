#include "tools/wasirun/payload.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "base/result.h"
#include "os/file_content.h"
#include "os/file_mapping.h"
#include "os/retry.h"

namespace wasirun {

namespace {

using Mark = std::array<std::uint8_t, 32>;

// In the executable's read-only data, and changed in the file alone.
struct Note {
  Mark mark;
  std::uint64_t offset;
  std::uint64_t size;
  std::uint64_t options_size;  // of what follows the module: each option ends with a zero
};

// Volatile: the compiler must not take it for what it is here. The mark stands nowhere else in the executable.
[[gnu::used]] const volatile Note own_note = {
    {0x7b, 0xc3, 0x1e, 0x90, 0x5a, 0xd4, 0x86, 0x2f, 'w',  'a',  's',  'i',  'r',  'u',  'n',  ' ',
     'p',  'a',  'y',  'l',  'o',  'a',  'd',  0xe8, 0x11, 0xb7, 0x64, 0x09, 0xf2, 0x3d, 0xac, 0x58},
    0,
    0,
    0};

constexpr std::size_t kPage = 4096;

Note copy_of_note() {
  Note note{};
  const auto* const from = reinterpret_cast<const volatile std::uint8_t*>(&own_note);
  auto* const to = reinterpret_cast<std::uint8_t*>(&note);
  for (std::size_t i = 0; i < sizeof(note); ++i) to[i] = from[i];
  return note;
}

}  // namespace

wasi::Result<std::optional<Payload>> own_payload() {
  if (own_note.size == 0) return std::nullopt;
  const Note note = copy_of_note();
  const wasi::os::RegularFile file = WASI_TRY(wasi::os::open_regular(kOwnExecutable));
  const std::uint64_t end = note.offset + note.size;
  if (end > file.size || note.options_size > file.size - end) {
    return wasi::fail(wasi::ErrorKind::malformed,
                      "the program that this executable carries was cut off: it has {} bytes, expected {}", file.size,
                      end + note.options_size);
  }
  Payload payload{.offset = note.offset, .size = note.size, .options = {}};
  std::string options(static_cast<std::size_t>(note.options_size), '\0');
  const auto read =
      wasi::os::retry([&] { return ::pread(file.fd.get(), options.data(), options.size(), static_cast<off_t>(end)); });
  if (read != static_cast<ssize_t>(options.size())) {
    return wasi::fail(wasi::ErrorKind::io, "cannot read {}", kOwnExecutable);
  }
  for (std::size_t at = 0; at < options.size();) {
    const std::size_t zero = std::min(options.find('\0', at), options.size());
    payload.options.push_back(options.substr(at, zero - at));
    at = zero + 1;
  }
  return payload;
}

wasi::Result<std::vector<std::uint8_t>> with_payload(std::span<const std::uint8_t> module,
                                                     const std::vector<std::string>& options) {
  const auto self = WASI_TRY(wasi::os::FileContent::open(kOwnExecutable));
  std::vector<std::uint8_t> bytes(self->bytes().begin(), self->bytes().end());
  Note note = copy_of_note();
  const auto found = std::ranges::search(bytes, note.mark);
  if (found.empty() || !std::ranges::search(found.end(), bytes.end(), note.mark.begin(), note.mark.end()).empty()) {
    return wasi::fail(wasi::ErrorKind::unsupported,
                      "this executable of wasirun was changed: it cannot carry a program");
  }
  const auto place = static_cast<std::size_t>(found.begin() - bytes.begin());
  bytes.resize((bytes.size() + kPage - 1) / kPage * kPage);
  note.offset = bytes.size();
  note.size = module.size();
  bytes.insert(bytes.end(), module.begin(), module.end());
  for (const std::string& option : options) {
    bytes.insert(bytes.end(), option.begin(), option.end());
    bytes.push_back(0);
    note.options_size += option.size() + 1;
  }
  std::memcpy(bytes.data() + place, &note, sizeof(note));
  return bytes;
}

}  // namespace wasirun
