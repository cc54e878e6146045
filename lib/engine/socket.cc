// The public handle of what lib/wasi gives to programs.
#include <wasi/socket.h>

#include "base/result.h"
#include "wasi/given_socket.h"

namespace wasi {

Result<Socket> Socket::listen(std::string_view address) {
  return Socket(WASI_TRY(preview1::GivenSocket::listen(address)));
}

Result<Socket> Socket::from_descriptor(int descriptor) {
  return Socket(WASI_TRY(preview1::GivenSocket::adopt(descriptor)));
}

std::string Socket::address() const { return socket_->address(); }

int Socket::descriptor() const { return socket_->descriptor(); }

}  // namespace wasi
