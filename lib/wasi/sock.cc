// Sockets: no program is given any yet, so these only tell what is wrong with the descriptor.
#include "wasi/table.h"

namespace wasi::preview1::impl {

Errno sock_accept(Call&, SocketFd<0>&, Flags<FdFlags>&, Out<OutU32>&) { return Errno::nosys; }

Errno sock_recv(Call&, SocketFd<0>&, ReadIovs&, U32&, Out<OutU32>&, Out<OutU16>&) { return Errno::nosys; }

Errno sock_send(Call&, SocketFd<0>&, WriteIovs&, U32&, Out<OutU32>&) { return Errno::nosys; }

Errno sock_shutdown(Call&, SocketFd<0>&, U32&) { return Errno::nosys; }

}  // namespace wasi::preview1::impl
