#include "tools/wasirun/load.h"

#include <unistd.h>

#include "base/printable.h"
#include "base/result.h"
#include "binary/decoder.h"
#include "binary/format.h"
#include "text/text.h"
#include "wasm/type_registry.h"

namespace wasirun {

bool is_standard_input(const std::string& path) { return path == "-"; }

std::string name_of(const std::string& path) {
  return is_standard_input(path) ? "standard input" : wasi::printable(path);
}

wasi::Result<std::shared_ptr<const wasi::os::FileContent>> open_file(const std::string& path) {
  return is_standard_input(path) ? wasi::os::FileContent::read(STDIN_FILENO, name_of(path))
                                 : wasi::os::FileContent::open(path);
}

wasi::Result<wasi::Module> load_module(const wasi::Engine& engine, const std::string& path) {
  if (!is_standard_input(path)) return wasi::Module::from_file(engine, path);
  return wasi::Module::from_bytes(engine, WASI_TRY(open_file(path))->bytes());
}

wasi::Result<wasi::Module> load_program(const wasi::Engine& engine, const std::string& path) {
  // By its name, so that what somebody downloads as a module does not get out of the sandbox by its contents.
  if (path.ends_with(".cwasm") && !is_standard_input(path)) return wasi::Module::deserialize_file(engine, path);
  return load_module(engine, path);
}

wasi::Result<std::shared_ptr<wasi::wasm::Module>> decode_module(const std::string& path) {
  using wasi::binary::FileKind;
  std::shared_ptr<const wasi::os::FileContent> file = WASI_TRY(open_file(path));
  const auto bytes = file->bytes();
  switch (wasi::binary::kind_of(bytes)) {
    case FileKind::component:
      return wasi::fail(wasi::ErrorKind::unsupported, "this is {}", wasi::binary::format::kComponentAdvice);
    case FileKind::empty:
      return wasi::fail(wasi::ErrorKind::malformed, "empty input: expected a WebAssembly module");
    case FileKind::text: {
      auto made = std::make_shared<const std::vector<std::uint8_t>>(
          WASI_TRY(wasi::text::encode_module({reinterpret_cast<const char*>(bytes.data()), bytes.size()})));
      return wasi::binary::decode_module({*made, made}, std::make_shared<wasi::wasm::TypeRegistry>());
    }
    case FileKind::module:
    case FileKind::unknown:
      break;
  }
  return wasi::binary::decode_module({bytes, std::move(file)}, std::make_shared<wasi::wasm::TypeRegistry>());
}

}  // namespace wasirun
