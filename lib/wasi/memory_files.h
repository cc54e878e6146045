// Directories in memory, behind the same interface as those of the host.
#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "wasi/abi.h"
#include "wasi/file.h"
#include "wasi/memory_data.h"

namespace wasi::preview1::memory {

class Tree;

// An empty tree. `limit`: the most bytes that the files, names and nodes may take which programs make in it.
std::shared_ptr<Tree> make_tree(std::uint64_t limit);

// Its root. Whoever holds a file or a directory of a tree keeps the tree.
std::shared_ptr<Directory> root_of(const std::shared_ptr<Tree>& tree);

// The embedder's own access, by paths from the root, with or without a slash in front. Directories above are made. What
// is added does not count towards the limit. A file that is there is replaced; other things are EEXIST.
Errno add_file(Tree& tree, std::string_view path, SharedBytes bytes);
Errno add_directory(Tree& tree, std::string_view path);
Errno add_symlink(Tree& tree, std::string_view path, std::string_view target);
// A file's contents; links are followed. EFBIG for more than `most`: a program can make a file as long as it likes.
std::expected<std::string, Errno> contents(Tree& tree, std::string_view path, std::uint64_t most);
// How much of the limit is in use.
std::uint64_t used_bytes(const Tree& tree);

}  // namespace wasi::preview1::memory
