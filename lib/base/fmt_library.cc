// The compiled half of {fmt}, built here instead of linked as libfmt.so: finding and relocating that library costs
// 0.9 ms at the start of a process whose whole budget is two, and an embedder gets one dependency less.
//
// format-inl.h defines the library's functions; its templates are declared `extern` in format.h, so those that
// formatting of char text uses are instantiated here.
#include <fmt/format-inl.h>

namespace fmt {
inline namespace v9 {
namespace detail {

template dragonbox::decimal_fp<float> dragonbox::to_decimal(float);
template dragonbox::decimal_fp<double> dragonbox::to_decimal(double);
template thousands_sep_result<char> thousands_sep_impl(locale_ref);
template char decimal_point_impl(locale_ref);
template void buffer<char>::append(const char*, const char*);

}  // namespace detail
}  // namespace v9
}  // namespace fmt
