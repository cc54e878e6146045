#include "jit/llvm/link.h"

#include <elf.h>

#include <cstring>
#include <span>

#include "base/result.h"

namespace wasi::jit::optimising {

namespace {

// An object file that LLVM has just made: what it says is believed.
class Object {
 public:
  explicit Object(std::string_view bytes) : bytes_(bytes) {
    std::memcpy(&header_, bytes.data(), sizeof(header_));
    for (unsigned i = 0; i < header_.e_shnum; ++i) {
      sections_.push_back(read<Elf64_Shdr>(header_.e_shoff + i * std::uint64_t{header_.e_shentsize}));
    }
  }
  [[nodiscard]] std::span<const Elf64_Shdr> sections() const { return sections_; }
  [[nodiscard]] std::string_view name(const Elf64_Shdr& section) const {
    return text(sections_[header_.e_shstrndx], section.sh_name);
  }
  [[nodiscard]] std::string_view contents(const Elf64_Shdr& section) const {
    return bytes_.substr(section.sh_offset, section.sh_size);
  }
  [[nodiscard]] std::string_view text(const Elf64_Shdr& strings, std::uint64_t at) const {
    return contents(strings).data() + at;
  }
  template <class T>
  [[nodiscard]] T read(std::uint64_t at) const {
    T value;
    std::memcpy(&value, bytes_.data() + at, sizeof(T));
    return value;
  }

 private:
  std::string_view bytes_;
  Elf64_Ehdr header_;
  std::vector<Elf64_Shdr> sections_;
};

constexpr std::uint64_t kNowhere = UINT64_MAX;

// What LLVM tells others is left out.
bool is_of_use(std::string_view name, const Elf64_Shdr& section) {
  return (section.sh_flags & SHF_ALLOC) != 0 && section.sh_size != 0 && name != ".eh_frame" &&
         name != ".llvm_stackmaps";
}

// Applies the relocations of one section, whose contents are at `place`.
Result<void> relocate(const Object& object, const Elf64_Shdr& relocations, std::uint64_t place,
                      std::span<const std::uint64_t> places, std::vector<std::uint8_t>& linked) {
  const Elf64_Shdr& symbols = object.sections()[relocations.sh_link];
  for (std::uint64_t at = 0; at < relocations.sh_size; at += sizeof(Elf64_Rela)) {
    const auto relocation = object.read<Elf64_Rela>(relocations.sh_offset + at);
    const auto symbol = object.read<Elf64_Sym>(symbols.sh_offset + ELF64_R_SYM(relocation.r_info) * sizeof(Elf64_Sym));
    if (symbol.st_shndx >= places.size() || places[symbol.st_shndx] == kNowhere) {
      return fail(ErrorKind::unsupported, "the code needs {}, which it does not have",
                  object.text(object.sections()[symbols.sh_link], symbol.st_name));
    }
    const auto type = ELF64_R_TYPE(relocation.r_info);
    if (type != R_X86_64_PC32 && type != R_X86_64_PLT32) {
      return fail(ErrorKind::unsupported, "the code needs a relocation of type {}", type);
    }
    const std::uint64_t from = place + relocation.r_offset;
    const auto distance =
        static_cast<std::int32_t>(static_cast<std::int64_t>(places[symbol.st_shndx] + symbol.st_value) +
                                  relocation.r_addend - static_cast<std::int64_t>(from));
    std::memcpy(linked.data() + from, &distance, sizeof(distance));
  }
  return {};
}

}  // namespace

Result<Linked> link(std::string_view bytes) {
  const Object object(bytes);
  std::vector<std::uint8_t> linked;
  std::string_view noted_places;
  std::vector<std::uint64_t> places(object.sections().size(), kNowhere);
  for (const bool wants_code : {true, false}) {
    for (std::size_t i = 0; i < places.size(); ++i) {
      const Elf64_Shdr& section = object.sections()[i];
      if (object.name(section) == kPlacesSection) noted_places = object.contents(section);
      if (!is_of_use(object.name(section), section) || ((section.sh_flags & SHF_EXECINSTR) != 0) != wants_code)
        continue;
      linked.resize((linked.size() + section.sh_addralign - 1) / section.sh_addralign * section.sh_addralign);
      places[i] = linked.size();
      if (section.sh_type == SHT_NOBITS) {
        linked.resize(linked.size() + section.sh_size);
        continue;
      }
      const std::string_view contents = object.contents(section);
      linked.insert(linked.end(), contents.begin(), contents.end());
    }
  }
  for (const Elf64_Shdr& section : object.sections()) {
    if (section.sh_type != SHT_RELA || places[section.sh_info] == kNowhere) continue;
    WASI_TRY(relocate(object, section, places[section.sh_info], places, linked));
  }
  return Linked{.bytes = std::move(linked), .places = noted_places};
}

}  // namespace wasi::jit::optimising
