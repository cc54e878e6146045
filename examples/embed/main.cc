// A program that embeds wasirun: loads guest.wat, gives it a function of ours, calls two of its own.
//
// usage: embed guest.wat [text]
#include <wasi/wasi.h>

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <string>
#include <tuple>

namespace {

int fail(const std::string& what) {
  std::fprintf(stderr, "embed: %s\n", what.c_str());
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return fail("usage: embed guest.wat [text]");
  const std::string text = argc > 2 ? argv[2] : "123456789";

  wasi::Engine engine;
  const auto module = wasi::Module::from_file(engine, argv[1]);
  if (!module) return fail(module.error().to_string());

  // The guest gets one function: whatever it logs is read from its memory, bounds checked.
  wasi::Linker linker(engine);
  linker.define("host", "log", [](wasi::Caller& caller, std::uint32_t address, std::uint32_t length) {
    if (const auto line = caller.memory().text(address, length)) {
      std::printf("guest: %.*s\n", static_cast<int>(line->size()), line->data());
    }
  });

  wasi::Store store(engine, {.memory_limit = 1 << 20});
  const auto instance = linker.instantiate(store, *module);
  if (!instance) return fail(instance.error().to_string());

  // Types are checked here, once; the calls below only pass numbers.
  const auto crc32 = instance->function<std::uint32_t(std::uint32_t, std::uint32_t)>("crc32");
  if (!crc32) return fail(crc32.error().to_string());
  const auto divide = instance->function<std::tuple<std::int64_t, std::int64_t>(std::int64_t, std::int64_t)>("divide");
  if (!divide) return fail(divide.error().to_string());

  const auto memory = instance->memory("memory");
  if (!memory) return fail(memory.error().to_string());
  constexpr std::uint32_t kTextAt = 1024;
  const auto place = memory->range(kTextAt, text.size());
  if (!place) return fail("the text does not fit into the guest's memory");
  std::memcpy(place->data(), text.data(), text.size());

  const auto checksum = (*crc32)(kTextAt, static_cast<std::uint32_t>(text.size()));
  if (!checksum) return fail(checksum.error().to_string());
  std::printf("crc32(\"%s\") = %08x\n", text.c_str(), *checksum);

  const auto quotient = (*divide)(-17, 5);
  if (!quotient) return fail(quotient.error().to_string());
  std::printf("-17 / 5 = %lld, remainder %lld\n", static_cast<long long>(std::get<0>(*quotient)),
              static_cast<long long>(std::get<1>(*quotient)));

  // A trap is a value too: the guest stops, the host goes on.
  const auto trapped = (*divide)(1, 0);
  if (trapped) return fail("dividing by zero must trap");
  std::printf("1 / 0: %s\n", trapped.error().to_string().c_str());
  return 0;
}
