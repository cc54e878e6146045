// std::function, without what <functional> has beside it (searchers, hash tables). Not for direct use.
#pragma once

#if __has_include(<bits/std_function.h>)  // of libstdc++, whose other headers use it for the same reason
#include <bits/std_function.h>
#else
#include <functional>
#endif
