// Data segments laid out as the pages that they make: wasm::MemoryImage.
#pragma once

#include <memory>

#include "wasm/module.h"

namespace wasi::binary {

// Of a module that was validated, all of whose bytes may be looked at: of its first data segments, as far as their
// offsets are constants within the minimum of one memory that the module defines. Null where there are none such,
// where elements before them may trap, or where it would not pay: for few small segments, or such as lie far from each
// other. Depends on the module alone. Throws std::bad_alloc.
std::shared_ptr<const wasm::MemoryImage> make_memory_image(const wasm::Module& module);

// Whether the image can be written into a new instance's memory: for one that was not made of this very module.
bool fits(const wasm::MemoryImage& image, const wasm::Module& module);

}  // namespace wasi::binary
