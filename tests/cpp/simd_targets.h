// Runs a piece of a test once for every instruction set of the machine.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "haagenti/base/simd.h"

namespace haagenti {

template <class Body>
void for_each_simd_target(const Body& body) {
  for (const std::string& target : simd_targets()) {
    SCOPED_TRACE(target);
    use_simd_target(target);
    body();
    if (::testing::Test::HasFatalFailure()) break;
  }
  use_simd_target("");
}

}  // namespace haagenti
