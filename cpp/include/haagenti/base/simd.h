// Which instruction set the SIMD loops run on.
// Not responsible for the loops.
#pragma once

#include <string>
#include <vector>

namespace haagenti {

// Chosen for this machine, such as "AVX3_DL".
std::string simd_target();

// Compiled in and supported by this machine, best first.
std::vector<std::string> simd_targets();

// For tests: compute with this one from now on; an empty name lets the machine choose again. Throws InvalidArgument for an unknown name.
void use_simd_target(const std::string& name);

std::string simd_library_version();

}  // namespace haagenti
