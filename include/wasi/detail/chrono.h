// Durations and points in time, without what <chrono> has beside them since C++20 (calendars, streams), which costs
// more time to compile than all of this library's headers. Not for direct use.
#pragma once

#if __has_include(<bits/chrono.h>)  // of libstdc++, whose other headers use it for the same reason
#include <bits/chrono.h>
#else
#include <chrono>
#endif
