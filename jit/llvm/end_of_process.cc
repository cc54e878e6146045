// At the end of a process, threads may still be compiling: nobody waits for them, since what they do takes long and is
// of no use any more. They must not lose what LLVM keeps in static objects then, which a thread that leaves the process
// would destroy. So the linker has this library register its destructors here (CMakeLists.txt), which forgets them.
extern "C" int __wrap___cxa_atexit(void (*destructor)(void*), void* object, void* library);  // NOLINT

int __wrap___cxa_atexit(void (* /*destructor*/)(void*), void* /*object*/, void* /*library*/) { return 0; }
