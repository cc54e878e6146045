// A directory that does not exist anywhere: its file is made up when a guest reads it.
#include "need.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

namespace {

class Note : public wasi::VirtualFile {
 public:
  explicit Note(int visitor) : text_("You are visitor " + std::to_string(visitor) + ".") {}
  wasi::VirtualResult<wasi::VirtualStat> stat() override { return wasi::VirtualStat{.size = text_.size(), .id = 1}; }
  wasi::VirtualResult<std::size_t> read(std::span<std::uint8_t> bytes, std::uint64_t offset) override {
    const std::string_view rest = std::string_view(text_).substr(std::min<std::uint64_t>(offset, text_.size()));
    const std::size_t count = std::min(rest.size(), bytes.size());
    std::copy_n(rest.begin(), count, bytes.begin());
    return count;
  }

 private:
  std::string text_;
};

class Visitors : public wasi::VirtualDirectory {
 public:
  wasi::VirtualResult<wasi::VirtualNode> find(std::string_view name) override {
    if (name != "note.txt") return std::unexpected(std::errc::no_such_file_or_directory);
    return wasi::VirtualNode{.file = std::make_shared<Note>(visitor)};
  }
  wasi::VirtualResult<std::vector<wasi::VirtualEntry>> list() override {
    return std::vector<wasi::VirtualEntry>{{.name = "note.txt", .id = 1}};
  }
  int visitor = 0;
};

}  // namespace

int main() {
  wasi::Engine engine;
  const wasi::Module module = need(wasi::Module::from_file(engine, GUESTS "/cat.wat"));
  const auto visitors = std::make_shared<Visitors>();
  const wasi::OutputBuffer output;
  wasi::WasiConfig config;
  config.preopen(visitors, "/", wasi::Access::read_only).stdout_to(wasi::Stdio::buffer(output));
  wasi::Linker linker(engine);
  linker.define_wasi(config);
  for (int i = 0; i < 2; ++i) {
    ++visitors->visitor;
    wasi::Store store(engine);
    const std::int32_t status = need(need(linker.instantiate(store, module)).run());
    std::printf("%d: %s\n", status, output.take().c_str());
  }
}
