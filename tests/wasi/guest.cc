#include "guest.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <ostream>

#include "binary/decoder.h"
#include "support/module_builder.h"
#include "validate/validator.h"

namespace wasi::preview1 {

std::ostream& operator<<(std::ostream& out, Errno error) { return out << name_of(error); }

namespace test {
namespace {

// Runs nothing: these guests have no functions.
class NoTier : public runtime::Tier {
 public:
  [[nodiscard]] const char* name() const override { return "none"; }
  std::unique_ptr<runtime::TierModule> create_module(runtime::ModuleCode&) override {
    return std::make_unique<runtime::TierModule>();
  }
  Result<runtime::SlotEntry> prepare(runtime::ModuleCode&, runtime::TierModule&, runtime::FunctionCode&,
                                     runtime::Preparation&) override {
    return std::unexpected(Error{ErrorKind::unsupported, "no functions here", std::nullopt});
  }
  [[nodiscard]] std::optional<std::uint64_t> offset_of(const runtime::Frame&) const override { return std::nullopt; }
  [[nodiscard]] const runtime::Slot* frame_end(const runtime::Frame& frame) const override { return frame.slots; }
  [[nodiscard]] bool owns_pc(std::uintptr_t) const override { return false; }
  [[nodiscard]] const void* resume_of_fault(const runtime::ExecState&, std::uintptr_t, const std::uint64_t*,
                                            std::size_t) const override {
    return nullptr;
  }
  [[nodiscard]] std::vector<runtime::TierStatistics> statistics() const override { return {}; }
};

}  // namespace

Guest::Guest(Config config, bool has_memory, runtime::BoundsChecks checks)
    : registry_(std::make_shared<wasm::TypeRegistry>()),
      tier_(std::make_unique<NoTier>()),
      store_(std::make_unique<runtime::Store>(registry_, runtime::StoreOptions{.limits = {}, .checks = checks})) {
  namespace build = wasi::test;
  // (module (memory (export "memory") 2)), or nothing at all.
  const auto bytes = std::make_shared<const std::vector<std::uint8_t>>(
      has_memory
          ? build::module({build::section(build::kMemorySection, build::hex("01 00 02")),
                           build::section(build::kExportSection,
                                          build::vec({build::join(build::name("memory"), build::hex("02 00"))}))})
          : build::module({}));
  auto module = binary::decode_module({*bytes, bytes}, registry_);
  if (!module) FAIL(module.error().to_string());
  if (auto valid = validate::validate_module(**module); !valid) FAIL(valid.error().to_string());
  const std::shared_ptr<runtime::ModuleCode> code[] = {
      std::make_shared<runtime::ModuleCode>(*module, *tier_, runtime::BoundsChecks::guard_pages, true),
      std::make_shared<runtime::ModuleCode>(*module, *tier_, runtime::BoundsChecks::explicit_checks, true)};
  auto instance = store_->instantiate(code, {});
  REQUIRE(instance);
  instance_ = *instance;
  auto context = Context::create(std::move(config));
  if (!context) FAIL(context.error().to_string());
  context_ = std::move(*context);
}

Guest::~Guest() = default;

std::span<std::uint8_t> Guest::memory() const { return instance_->default_memory()->bytes(); }
void Guest::grow_memory() { REQUIRE(instance_->default_memory()->grow(1) > 0); }

Errno Guest::call(std::string_view name, std::initializer_list<std::uint64_t> arguments) {
  return call(name, std::span(arguments.begin(), arguments.size()));
}

Errno Guest::call(std::string_view name, std::span<const std::uint64_t> arguments) {
  const Function* const function = find_function(module_, name);
  if (function == nullptr) FAIL("no function " << name);
  // Threads call, too, and Catch's assertions are for one thread: only what fails is one.
  if (function->type.params.size() != arguments.size()) FAIL(name << ": wrong number of arguments");
  runtime::Slot slots[10] = {};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    slots[i].u64 = arguments[i];
    // The upper half of an i32's slot may be anything.
    if (function->type.params[i] == wasm::kI32) slots[i].u64 |= std::uint64_t{0xABCD'EF01} << 32;
  }
  runtime::HostCall host{*store_, instance_, slots};
  trap_ = function->body(context_.get(), host);
  return trap_ ? Errno::intr : static_cast<Errno>(slots[0].u32);
}

std::uint32_t Guest::allocate(std::size_t size) {
  const std::uint32_t address = next_;
  next_ += static_cast<std::uint32_t>((size + 15) / 16 * 16);
  if (next_ > memory().size()) FAIL("the guest's memory is used up");
  std::memset(memory().data() + address, 0, size);
  return address;
}

std::uint32_t Guest::put(std::string_view text) {
  const std::uint32_t address = allocate(text.size() + 1);
  std::memcpy(memory().data() + address, text.data(), text.size());
  return address;
}

std::uint32_t Guest::iovs(std::initializer_list<std::pair<std::uint32_t, std::uint32_t>> buffers) {
  const std::uint32_t address = allocate(buffers.size() * 8);
  std::uint32_t at = address;
  for (const auto& [data, size] : buffers) {
    write(at, data);
    write(at + 4, size);
    at += 8;
  }
  return address;
}

Guest::Opened Guest::open(std::string_view path, std::uint32_t oflags, Rights base, std::uint32_t directory,
                          std::uint32_t dirflags, std::uint32_t fdflags, Rights inheriting) {
  const std::uint32_t mark = next_;
  const std::uint32_t out = allocate(4);
  const Errno error =
      call("path_open", {directory, dirflags, put(path), path.size(), oflags, base, inheriting, fdflags, out});
  const Opened opened{error, read<std::uint32_t>(out)};
  next_ = mark;
  return opened;
}

Errno Guest::write_text(std::uint32_t fd, std::string_view text) {
  const std::uint32_t mark = next_;
  const std::uint32_t out = allocate(4);
  const Errno error = call("fd_write", {fd, iovs({{put(text), static_cast<std::uint32_t>(text.size())}}), 1, out});
  if (error == Errno::success) CHECK(read<std::uint32_t>(out) == text.size());
  next_ = mark;
  return error;
}

std::string Guest::read_text(std::uint32_t fd, std::size_t size) {
  const std::uint32_t mark = next_;
  const std::uint32_t out = allocate(4);
  const std::uint32_t buffer = allocate(size);
  const Errno error = call("fd_read", {fd, iovs({{buffer, static_cast<std::uint32_t>(size)}}), 1, out});
  std::string result = error == Errno::success ? text(buffer, read<std::uint32_t>(out)) : std::string(name_of(error));
  next_ = mark;
  return result;
}

Errno Guest::path_call(std::string_view name, std::string_view path, std::uint32_t directory) {
  const std::uint32_t mark = next_;
  const Errno error = call(name, {directory, put(path), path.size()});
  next_ = mark;
  return error;
}

Errno Guest::rename(std::string_view from, std::string_view to, std::uint32_t from_fd, std::uint32_t to_fd) {
  const std::uint32_t mark = next_;
  const Errno error = call("path_rename", {from_fd, put(from), from.size(), to_fd, put(to), to.size()});
  next_ = mark;
  return error;
}

Errno Guest::hard_link(std::string_view from, std::string_view to, std::uint32_t from_fd, std::uint32_t to_fd,
                       std::uint32_t flags) {
  const std::uint32_t mark = next_;
  const Errno error = call("path_link", {from_fd, flags, put(from), from.size(), to_fd, put(to), to.size()});
  next_ = mark;
  return error;
}

Errno Guest::symlink(std::string_view target, std::string_view path, std::uint32_t directory) {
  const std::uint32_t mark = next_;
  const Errno error = call("path_symlink", {put(target), target.size(), directory, put(path), path.size()});
  next_ = mark;
  return error;
}

Errno Guest::stat(std::string_view path, FileStat& out, std::uint32_t flags, std::uint32_t directory) {
  const std::uint32_t mark = next_;
  const std::uint32_t place = allocate(sizeof(FileStat));
  const Errno error = call("path_filestat_get", {directory, flags, put(path), path.size(), place});
  out = read<FileStat>(place);
  next_ = mark;
  return error;
}

Errno Guest::set_times(std::string_view path, std::uint64_t mtim, std::uint32_t flags, std::uint32_t directory) {
  const std::uint32_t mark = next_;
  const Errno error =
      call("path_filestat_set_times", {directory, flags, put(path), path.size(), 0, mtim, fstflag::mtim});
  next_ = mark;
  return error;
}

FdStat Guest::fdstat(std::uint32_t fd) {
  const std::uint32_t mark = next_;
  const std::uint32_t place = allocate(sizeof(FdStat));
  REQUIRE(call("fd_fdstat_get", {fd, place}) == Errno::success);
  next_ = mark;
  return read<FdStat>(place);
}

Config with_directory(const std::filesystem::path& path, Access access, bool walk) {
  Config config;
  config.preopens.push_back({.host_path = path.string(), .guest_path = "/", .access = access});
  config.force_path_walk = walk;
  return config;
}

}  // namespace test
}  // namespace wasi::preview1
