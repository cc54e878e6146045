// Files behind RAII handles (Debian's libc++ for WASI has no file streams), string streams and stdin in C++.
#include <cstdio>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

namespace {

struct Close {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, Close>;

File open(const std::string& name, const char* mode) { return File(std::fopen(name.c_str(), mode)); }

std::string slurp(const std::string& name) {
  std::string text;
  File file = open(name, "rb");
  char block[777];
  while (file) {
    const std::size_t got = std::fread(block, 1, sizeof block, file.get());
    if (got == 0) break;
    text.append(block, got);
  }
  return text;
}

}  // namespace

int main() {
  std::ostringstream table;
  table << "name,count\n";
  for (int i = 0; i < 1000; ++i) table << "row " << i << "," << i * i << "\n";
  {
    File out = open("table.csv", "w");
    std::fwrite(table.str().data(), 1, table.str().size(), out.get());
  }
  std::istringstream in(slurp("table.csv"));
  std::string line;
  long long sum = 0;
  int rows = 0;
  std::getline(in, line);
  while (std::getline(in, line)) {
    sum += std::stoll(line.substr(line.find(',') + 1));
    ++rows;
  }
  std::cout << rows << " rows, sum " << sum << ", at end " << in.eof() << ", same "
            << (slurp("table.csv") == table.str()) << "\n";

  File both = open("data.bin", "w+b");
  std::vector<char> block(100000);
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<char>(i % 251);
  std::fwrite(block.data(), 1, block.size(), both.get());
  std::fseek(both.get(), 5001, SEEK_SET);
  std::fputc('!', both.get());
  std::fseek(both.get(), 5000, SEEK_SET);
  std::cout << std::fgetc(both.get()) << " " << static_cast<char>(std::fgetc(both.get())) << " "
            << std::ftell(both.get()) << "\n";
  std::cout << "missing opens: " << (open("missing.txt", "r") != nullptr) << "\n";

  long numbers = 0;
  double total = 0;
  for (double value; std::cin >> value;) {
    total += value;
    ++numbers;
  }
  std::cout << numbers << " numbers, total " << total << "\n";
  std::cerr << "to stderr\n";
  std::remove("table.csv");
  return 0;
}
