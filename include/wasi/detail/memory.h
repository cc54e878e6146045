// Smart pointers, without what <memory> has beside them since C++17 and C++20 (ranges, parallel algorithms), which
// costs time to compile. Not for direct use.
#pragma once

#if __has_include(<bits/shared_ptr.h>)  // of libstdc++, whose other headers use it for the same reason
#include <bits/shared_ptr.h>
#else
#include <memory>
#endif
