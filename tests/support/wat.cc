#include "support/wat.h"

#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

namespace wasi::test {
namespace {

// A folder that goes away with the scope.
struct ScratchFolder {
  std::filesystem::path path;
  ScratchFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "wasirun-wat-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) FAIL("cannot make a folder for wat2wasm: " << name);
    path = name;
  }
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
};

std::string read_all(std::FILE* file) {
  std::string data;
  std::array<char, 65536> block;
  while (const std::size_t n = std::fread(block.data(), 1, block.size(), file)) data.append(block.data(), n);
  return data;
}

}  // namespace

std::vector<std::uint8_t> wat(std::string_view text, std::string_view flags) {
  const ScratchFolder folder;
  const std::string input = (folder.path / "module.wat").string();
  const std::string output = (folder.path / "module.wasm").string();
  std::FILE* source = std::fopen(input.c_str(), "wb");
  if (source == nullptr) FAIL("cannot write " << input);
  std::fwrite(text.data(), 1, text.size(), source);
  std::fclose(source);

  const std::string command =
      "wat2wasm --enable-all " + std::string(flags) + " -o '" + output + "' '" + input + "' 2>&1";
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) FAIL("cannot start wat2wasm");
  const std::string message = read_all(pipe);
  if (pclose(pipe) != 0) FAIL("wat2wasm refuses the test's module:\n" << message << "\nmodule:\n" << text);

  std::FILE* result = std::fopen(output.c_str(), "rb");
  if (result == nullptr) FAIL("wat2wasm wrote no " << output);
  const std::string data = read_all(result);
  std::fclose(result);
  return {data.begin(), data.end()};
}

}  // namespace wasi::test
