#include "haagenti/base/simd.h"

#include "haagenti/base/error.h"
#include "hwy/base.h"
#include "hwy/highway.h"
#include "hwy/targets.h"

namespace haagenti {

std::string simd_target() { return hwy::TargetName(simd_targets().empty() ? HWY_STATIC_TARGET : hwy::SupportedTargets() & -hwy::SupportedTargets()); }

std::vector<std::string> simd_targets() {
  std::vector<std::string> names;
  for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) names.emplace_back(hwy::TargetName(target));
  return names;
}

void use_simd_target(const std::string& name) {
  hwy::SetSupportedTargetsForTest(0);
  if (!name.empty()) {
    std::int64_t found = 0;
    for (const std::int64_t target : hwy::SupportedAndGeneratedTargets()) {
      if (name == hwy::TargetName(target)) found = target;
    }
    if (found == 0) fail(ErrorKind::kInvalidArgument, "SIMD target '", name, "' is not compiled or not supported here");
    hwy::SetSupportedTargetsForTest(found);
  }
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

std::string simd_library_version() { return concat(HWY_MAJOR, ".", HWY_MINOR, ".", HWY_PATCH); }

}  // namespace haagenti
