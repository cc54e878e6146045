// Decoding of the kinds that need more than a line, and how kinds look in a trace. See params.h.
#include "wasi/params.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <iterator>

#include "base/byte_reader.h"
#include "base/printable.h"

namespace wasi::preview1 {
namespace {

// How many elements of a list a trace shows, and how many rights by their names.
constexpr std::size_t kShownElements = 32;
constexpr int kShownRights = 16;

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all = static_cast<unsigned char>(all | static_cast<unsigned char>(c));
  return all < 0x80;
}

constexpr std::array<std::string_view, 8> kFileTypes = {"unknown",       "block_device", "character_device",
                                                        "directory",     "regular_file", "socket_dgram",
                                                        "socket_stream", "symbolic_link"};
constexpr std::array<std::string_view, 3> kEventTypes = {"clock", "fd_read", "fd_write"};
constexpr std::array<std::string_view, 1> kSubClockFlags = {"abstime"};
constexpr std::array<std::string_view, 1> kEventFlags = {"hangup"};

// A list in brackets, cut where it gets long.
class Elements {
 public:
  explicit Elements(std::string& out) : out_(out) { out_ += '['; }
  ~Elements() { out_ += ']'; }
  Elements(const Elements&) = delete;
  Elements& operator=(const Elements&) = delete;
  // Before each element; false when the rest is left out.
  bool next() {
    if (count_ != 0) out_ += ", ";
    if (count_ == kShownElements) out_ += "...";
    return count_++ < kShownElements;
  }

 private:
  std::string& out_;
  std::size_t count_ = 0;
};

// Nanoseconds, to be read by people.
std::string seconds(std::uint64_t nanoseconds) {
  return fmt::format("{}.{:09}", nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000);
}

}  // namespace

std::string_view name_of(FileType type) {
  // What is read back from the guest's memory may have been changed there.
  const auto index = static_cast<std::size_t>(type);
  return index < kFileTypes.size() ? kFileTypes[index] : "?";
}

Errno refusal(const Descriptor& descriptor, Rights missing) {
  // Programs know POSIX better than rights: where its system calls have an error for this kind of file, it is that.
  constexpr Rights kOnOpenFiles = right::fd_read | right::fd_write | right::fd_allocate | right::fd_filestat_set_size;
  constexpr Rights kPosition = right::fd_seek | right::fd_tell;
  if (descriptor.type() == FileType::directory) {
    if ((missing & (kOnOpenFiles | kPosition)) != 0) return Errno::isdir;
  } else {
    if ((missing & right::kOfDirectories & ~right::kOfFiles) != 0) return Errno::notdir;
    if ((missing & kOnOpenFiles) != 0) return Errno::badf;
    if ((missing & kPosition) != 0 && descriptor.file->is_stream()) return Errno::spipe;
  }
  if (descriptor.access == Access::read_only && (missing & right::kChanging) != 0) return Errno::rofs;
  return Errno::notcapable;
}

Errno Path::decode(Call& call, const runtime::Slot* slots) {
  const std::uint8_t* bytes = call.range(slots[0].u32, slots[1].u32);
  if (bytes == nullptr) return Errno::fault;
  size = slots[1].u32;
  if (size > call.state.limits.path_length) return Errno::nametoolong;
  std::memcpy(text, bytes, size);
  text[size] = '\0';
  if (std::memchr(text, '\0', size) != nullptr) return Errno::inval;
  return is_ascii(view()) || base::is_utf8(view()) ? Errno::success : Errno::ilseq;
}

Errno Iovs::decode(Call& call, const runtime::Slot* slots) {
  const std::uint64_t given = slots[1].u32;
  const std::uint8_t* entries = call.range(slots[0].u32, given * 8);
  if (entries == nullptr) return Errno::fault;
  if (given > call.state.limits.iovecs) return Errno::inval;
  call_ = &call;
  base_ = call.bytes().data();
  count = std::min<std::uint64_t>(given, kMaxCount);
  std::size_t left = kMaxBytes;
  for (std::size_t i = 0; i < count; ++i) {
    std::uint32_t entry[2];
    std::memcpy(entry, entries + i * 8, sizeof(entry));
    std::uint8_t* data = call.range(entry[0], entry[1]);
    if (data == nullptr) return Errno::fault;
    vectors[i] = {data, std::min<std::size_t>(entry[1], left)};
    left -= vectors[i].iov_len;
  }
  return Errno::success;
}

void* Iovs::moved(void* pointer) const {
  std::uint8_t* const now = call_->bytes().data();
  // Of an empty memory there were empty buffers only, wherever they point to.
  if (now == base_ || base_ == nullptr) return pointer;
  return now + (reinterpret_cast<std::uintptr_t>(pointer) - reinterpret_cast<std::uintptr_t>(base_));
}

void Iovs::follow_memory() {
  std::uint8_t* const now = call_->bytes().data();
  if (now == base_ || base_ == nullptr) return;
  for (iovec& vector : std::span(vectors, count)) vector.iov_base = moved(vector.iov_base);
  base_ = now;
}

void describe_hex(std::string& out, std::uint64_t value) { fmt::format_to(std::back_inserter(out), "{:#x}", value); }
void describe_value(std::string& out, std::uint64_t value) { out += std::to_string(value); }
void describe_value(std::string& out, std::uint32_t value) { out += std::to_string(value); }
void describe_value(std::string& out, std::uint16_t value) { out += std::to_string(value); }

void describe_escaped(std::string& out, std::string_view bytes) {
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (append_short_escape(out, c)) continue;
    if (byte < 0x20 || byte >= 0x7F) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
}

void describe_quoted(std::string& out, std::string_view bytes, std::size_t limit) {
  out += '"';
  describe_escaped(out, bytes.substr(0, limit));
  out += '"';
  if (bytes.size() > limit) out += "...";
}

void describe_bits(std::string& out, std::uint64_t bits, std::span<const std::string_view> names) {
  if (bits == 0) {
    out += '0';
    return;
  }
  bool first = true;
  for (std::size_t i = 0; i < 64; ++i) {
    if ((bits >> i & 1) == 0) continue;
    if (!first) out += '|';
    if (i < names.size()) {
      out += names[i];
    } else {
      // What has no name, all at once.
      describe_hex(out, bits >> i << i);
      return;
    }
    first = false;
  }
}

void describe_rights(std::string& out, Rights rights) {
  if (rights == right::kAll) {
    out += "all";
  } else if (std::popcount(rights) <= kShownRights) {
    describe_bits(out, rights, kRightNames);
  } else {
    out += "~(";
    describe_bits(out, right::kAll & ~rights, kRightNames);
    out += ')';
  }
}

void describe_descriptor(std::string& out, std::uint32_t number, const Descriptor& descriptor) {
  describe_value(out, number);
  if (descriptor.name.empty()) return;
  out += '<';
  describe_escaped(out, descriptor.name);
  out += '>';
}

void describe_value(std::string& out, const FdStat& stat) {
  out += "{type=";
  out += name_of(stat.type);
  out += ", flags=";
  describe_bits(out, stat.flags, FdFlags::kNames);
  out += ", base=";
  describe_rights(out, stat.rights_base);
  out += ", inheriting=";
  describe_rights(out, stat.rights_inheriting);
  out += '}';
}

void describe_value(std::string& out, const FileStat& stat) {
  fmt::format_to(std::back_inserter(out),
                 "{{dev={:#x}, ino={}, type={}, nlink={}, size={}, atim={}, mtim={}, ctim={}}}", stat.dev, stat.ino,
                 name_of(stat.type), stat.nlink, stat.size, seconds(stat.atim), seconds(stat.mtim), seconds(stat.ctim));
}

void describe_value(std::string& out, const PreStat& stat) {
  if (stat.tag == kPreStatSocket) {
    out += "{socket}";
    return;
  }
  fmt::format_to(std::back_inserter(out), "{{dir, name_length={}}}", stat.name_length);
}

void describe_strings(std::string& out, const StringList& list, const Detail& detail) {
  Elements elements(out);
  for (std::size_t i = 0; i < list.offsets.size() && elements.next(); ++i) {
    describe_quoted(out, list.bytes.c_str() + list.offsets[i], detail.string_size);
  }
}

void Iovs::describe_data(std::string& out, std::size_t filled, std::size_t string_size) const {
  Elements elements(out);
  for (std::size_t i = 0; i < count && elements.next(); ++i) {
    const iovec& vector = vectors[i];
    const std::size_t used = std::min(filled, vector.iov_len);
    filled -= used;
    out += '{';
    describe_quoted(out, {static_cast<const char*>(moved(vector.iov_base)), used}, string_size);
    fmt::format_to(std::back_inserter(out), ", {}}}", vector.iov_len);
  }
}

void OutBytes::describe_result(std::string& out, const Detail& detail) const {
  const std::size_t used = std::min<std::size_t>(size, detail.count.value_or(UINT32_MAX));
  describe_quoted(out, {reinterpret_cast<const char*>(place.data()), used}, detail.string_size);
  fmt::format_to(std::back_inserter(out), ", {}", size);
}

void OutEntries::describe_result(std::string& out, const Detail& detail) const {
  const std::size_t used = std::min<std::size_t>(size, detail.count.value_or(0));
  const std::uint8_t* const data = place.data();
  {
    Elements elements(out);
    for (std::size_t at = 0; at < used && elements.next();) {
      DirEnt entry;
      if (used - at < sizeof(entry)) {
        out += "...";  // cut at the buffer's end
        break;
      }
      std::memcpy(&entry, data + at, sizeof(entry));
      at += sizeof(entry);
      const std::size_t length = std::min<std::size_t>(entry.name_length, used - at);
      fmt::format_to(std::back_inserter(out), "{{next={}, ino={}, type={}, name=", entry.next, entry.ino,
                     name_of(entry.type));
      describe_quoted(out, {reinterpret_cast<const char*>(data) + at, length}, Path::kMostShown);
      out += length == entry.name_length ? "}" : "...}";
      at += length;
    }
  }
  fmt::format_to(std::back_inserter(out), ", {}", size);
}

void PollList::describe(std::string& out, const Detail&) const {
  Elements elements(out);
  for (std::uint32_t i = 0; i < count && elements.next(); ++i) {
    const Subscription subscription = at(i);
    fmt::format_to(std::back_inserter(out), "{{userdata={:#x}, ", subscription.userdata);
    const auto type = static_cast<std::size_t>(subscription.type);
    if (type >= kEventTypes.size()) {
      fmt::format_to(std::back_inserter(out), "type={}}}", type);
    } else if (subscription.type == EventType::clock) {
      out += "clock=";
      if (subscription.clock_or_fd < ClockIds::kNames.size()) {
        out += ClockIds::kNames[subscription.clock_or_fd];
      } else {
        describe_value(out, subscription.clock_or_fd);
      }
      fmt::format_to(std::back_inserter(out), ", timeout={}, flags=", seconds(subscription.timeout));
      describe_bits(out, subscription.clock_flags, kSubClockFlags);
      out += '}';
    } else {
      fmt::format_to(std::back_inserter(out), "{}={}}}", kEventTypes[type], subscription.clock_or_fd);
    }
  }
}

void PollList::describe_result(std::string& out, const Detail& detail) const {
  out += ", events=";
  Elements elements(out);
  for (std::uint32_t i = 0; i < std::min(count, detail.count.value_or(0)) && elements.next(); ++i) {
    Event event;
    std::memcpy(&event, events.data() + i * sizeof(event), sizeof(event));
    const auto type = static_cast<std::size_t>(event.type);
    fmt::format_to(std::back_inserter(out), "{{userdata={:#x}, {}", event.userdata,
                   type < kEventTypes.size() ? kEventTypes[type] : "?");
    if (event.error != Errno::success) {
      fmt::format_to(std::back_inserter(out), ", error={}", name_of(event.error));
    } else if (event.type != EventType::clock) {
      fmt::format_to(std::back_inserter(out), ", nbytes={}, flags=", event.nbytes);
      describe_bits(out, event.flags, kEventFlags);
    }
    out += '}';
  }
}

}  // namespace wasi::preview1
