// libcurl as a part of the program, since one without shared libraries can load none.
#pragma once

namespace wasirun::shim {

// For serve::curl_library().
void use_linked_curl();

}  // namespace wasirun::shim
