// Memory that is kept to be used again, given back where it is unusually much.
#pragma once

#include <cstddef>
#include <vector>

namespace wasi {

// Empties a vector that holds more than `most` bytes. (`vector = {}` would keep its memory.)
template <class T>
void trim(std::vector<T>& vector, std::size_t most) {
  if (vector.capacity() * sizeof(T) > most) vector = std::vector<T>();
}

}  // namespace wasi
