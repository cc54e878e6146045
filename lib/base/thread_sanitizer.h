// WASI_THREAD_SANITIZER: whether this is compiled with the thread sanitizer, 1 or 0. It knows threads, stacks and
// descriptors by the functions of libc that it stands in for, so what passes those by has to be made with them.
#pragma once

#if defined(__SANITIZE_THREAD__)
#define WASI_THREAD_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define WASI_THREAD_SANITIZER 1
#endif
#endif
#if !defined(WASI_THREAD_SANITIZER)
#define WASI_THREAD_SANITIZER 0
#endif
