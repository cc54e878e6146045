// Decoding of the kinds that need more than a line, and how kinds look in a trace. See params.h.
#include "wasi/params.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/byte_reader.h"

namespace wasi::preview1 {
namespace {

// How much of a buffer a trace shows.
constexpr std::size_t kQuotedBytes = 32;
constexpr std::size_t kDescribedIovs = 8;
constexpr std::size_t kDescribedSubscriptions = 8;

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all = static_cast<unsigned char>(all | static_cast<unsigned char>(c));
  return all < 0x80;
}

constexpr std::array<std::string_view, 8> kFileTypes = {"unknown",       "block_device", "character_device",
                                                        "directory",     "regular_file", "socket_dgram",
                                                        "socket_stream", "symbolic_link"};
constexpr std::array<std::string_view, 3> kEventTypes = {"clock", "fd_read", "fd_write"};

}  // namespace

std::string_view name_of(FileType type) { return kFileTypes[static_cast<std::size_t>(type)]; }

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

void describe_hex(std::string& out, std::uint64_t value) { fmt::format_to(std::back_inserter(out), "{:#x}", value); }
void describe_value(std::string& out, std::uint64_t value) { out += std::to_string(value); }
void describe_value(std::string& out, std::uint32_t value) { out += std::to_string(value); }
void describe_value(std::string& out, std::uint16_t value) { out += std::to_string(value); }

void describe_quoted(std::string& out, std::string_view bytes, std::size_t limit) {
  out += '"';
  for (const char c : bytes.substr(0, limit)) {
    const auto byte = static_cast<unsigned char>(c);
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\r':
        out += "\\r";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      default:
        if (byte < 0x20 || byte >= 0x7F) {
          fmt::format_to(std::back_inserter(out), "\\x{:02x}", byte);
        } else {
          out += c;
        }
    }
  }
  out += '"';
  if (bytes.size() > limit) out += "...";
}

void describe_bits(std::string& out, std::uint64_t bits, std::span<const std::string_view> names) {
  if (bits == 0) {
    out += '0';
    return;
  }
  bool first = true;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((bits >> i & 1) == 0) continue;
    if (!first) out += '|';
    out += names[i];
    first = false;
  }
}

void describe_value(std::string& out, const FdStat& stat) {
  out += "{type=";
  out += name_of(stat.type);
  out += ", flags=";
  describe_bits(out, stat.flags, FdFlags::kNames);
  fmt::format_to(std::back_inserter(out), ", base={:#x}, inheriting={:#x}}}", stat.rights_base, stat.rights_inheriting);
}

void describe_value(std::string& out, const FileStat& stat) {
  fmt::format_to(std::back_inserter(out), "{{type={}, ino={}, nlink={}, size={}, mtim={}}}", name_of(stat.type),
                 stat.ino, stat.nlink, stat.size, stat.mtim);
}

void describe_value(std::string& out, const PreStat& stat) {
  fmt::format_to(std::back_inserter(out), "{{dir, name_length={}}}", stat.name_length);
}

void Iovs::describe_data(std::string& out, std::size_t limit) const {
  out += '[';
  for (std::size_t i = 0; i < std::min(count, kDescribedIovs); ++i) {
    const iovec& vector = vectors[i];
    const std::size_t used = std::min(limit, vector.iov_len);
    limit -= used;
    if (i != 0) out += ", ";
    out += '{';
    describe_quoted(out, {static_cast<const char*>(vector.iov_base), used}, kQuotedBytes);
    fmt::format_to(std::back_inserter(out), ", {}}}", vector.iov_len);
  }
  if (count > kDescribedIovs) out += ", ...";
  out += ']';
}

void OutBytes::describe(std::string& out, const Outcome&) const {
  describe_hex(out, address);
  fmt::format_to(std::back_inserter(out), ", {}", size);
}

void PollList::describe(std::string& out, const Outcome&) const {
  out += '[';
  for (std::uint32_t i = 0; i < std::min<std::size_t>(count, kDescribedSubscriptions); ++i) {
    Subscription subscription;
    std::memcpy(&subscription, subscriptions + i * sizeof(subscription), sizeof(subscription));
    if (i != 0) out += ", ";
    const auto type = static_cast<std::size_t>(subscription.type);
    if (type >= kEventTypes.size()) {
      fmt::format_to(std::back_inserter(out), "{{type={}}}", type);
    } else if (subscription.type == EventType::clock) {
      const bool known = subscription.clock_or_fd < ClockIds::kNames.size();
      fmt::format_to(std::back_inserter(out), "{{clock={}, {}{}ns}}",
                     known ? ClockIds::kNames[subscription.clock_or_fd] : "?",
                     (subscription.clock_flags & subclockflag::abstime) != 0 ? "at " : "", subscription.timeout);
    } else {
      fmt::format_to(std::back_inserter(out), "{{{}={}}}", kEventTypes[type], subscription.clock_or_fd);
    }
  }
  if (count > kDescribedSubscriptions) out += ", ...";
  out += ']';
}

}  // namespace wasi::preview1
