// Reservations that were given back, for the next who needs one of that size.
//
// To have the kernel map, protect and unmap a range takes longer than everything else about a small instance. A
// reservation from here is as a new one: zero where it is accessible, inaccessible elsewhere. Thread-safe.
#pragma once

#include <wasi/error.h>

#include <cstddef>

#include "os/virtual_memory.h"

namespace wasi::os {

// How much at the two ends of what is accessible keeps its memory, and is cleared by hand, when a reservation is given
// back: what its users touch nearly always. The rest goes back to the kernel.
struct KeptMemory {
  std::size_t at_begin = 0;
  std::size_t at_end = 0;
};

// A reservation of which [0, accessible) is zero and accessible. Errors as Reservation::reserve.
Result<Reservation> take_reservation(std::size_t size, std::size_t accessible);
// Keeps it for others, of whose contents they will see nothing, or frees it. [0, accessible) is accessible, the rest
// not.
void give_back_reservation(Reservation reservation, std::size_t accessible, KeptMemory kept);
// Frees all that are kept; whether there were any. For those who are refused address space.
bool free_kept_reservations();

}  // namespace wasi::os
