// Directories whose contents are functions of the embedder's, behind the same interface as those of the host.
#pragma once

#include <wasi/virtual_files.h>

#include <memory>

#include "wasi/file.h"

namespace wasi::preview1 {

// The root of a tree. Paths are resolved here, a name at a time, and whatever the functions answer or throw is an
// errno. Those whose data is asked for may call the guest: see File::is_function.
std::shared_ptr<Directory> make_virtual_root(std::shared_ptr<VirtualDirectory> directory);

}  // namespace wasi::preview1
