// The loops of any.cpp in binary32, for every instruction set: see any_kernels.h.
#include "transform/dct/any_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "transform/dct/any_f32.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

// AVX-512 has one form here: what later ones add is of no use.
#undef HAAGENTI_DCT_AS_AVX3
#if HWY_ARCH_X86 && HWY_TARGET < HWY_AVX3 && (HWY_TARGETS & HWY_AVX3)
#define HAAGENTI_DCT_AS_AVX3
namespace haagenti::N_AVX3 {
void AnyRowsF32(const dct::LinesArgs<float>& args);
void AnyColsF32(const dct::LinesArgs<float>& args);
}  // namespace haagenti::N_AVX3
namespace haagenti::HWY_NAMESPACE {
using N_AVX3::AnyColsF32;
using N_AVX3::AnyRowsF32;
}  // namespace haagenti::HWY_NAMESPACE
#endif

#ifndef HAAGENTI_DCT_AS_AVX3
#include "transform/dct/any_lines-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
void AnyRowsF32(const dct::LinesArgs<float>& args) { any_length::LaneRows(args); }
void AnyColsF32(const dct::LinesArgs<float>& args) { any_length::LaneCols(args); }
}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace haagenti {
HWY_EXPORT(AnyRowsF32);
HWY_EXPORT(AnyColsF32);

void dct::any_rows_f32(const LinesArgs<float>& args) { HWY_DYNAMIC_DISPATCH(AnyRowsF32)(args); }
void dct::any_cols_f32(const LinesArgs<float>& args) { HWY_DYNAMIC_DISPATCH(AnyColsF32)(args); }

}  // namespace haagenti
#endif
