// make-module BYTES OUT: writes a module of about that size (module_generator.h) and prints what is in it.
#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string_view>

#include "bench/generator/module_generator.h"

int main(int argc, char** argv) {
  constexpr std::uint64_t kLeast = 1000;
  constexpr std::uint64_t kMost = 500'000'000;
  std::uint64_t size = 0;
  const std::string_view text = argc == 3 ? argv[1] : "";
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || end != text.data() + text.size() || size < kLeast || size > kMost) {
    std::cerr << "usage: make-module BYTES OUT, with BYTES from " << kLeast << " to " << kMost << "\n";
    return 2;
  }
  const wasi::bench::GeneratedModule module = wasi::bench::generate_module(size);
  std::ofstream out(argv[2], std::ios::binary);
  out.write(reinterpret_cast<const char*>(module.bytes.data()), static_cast<std::streamsize>(module.bytes.size()));
  if (!out.flush()) {
    std::cerr << "make-module: cannot write " << argv[2] << "\n";
    return 1;
  }
  std::cout << "functions " << module.functions << "\ncode_bytes " << module.code_bytes << "\n";
  return 0;
}
