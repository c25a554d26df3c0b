// The loops of any.cpp in binary64, for every instruction set: see any_kernels.h.
#include "transform/dct/any_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "transform/dct/any_f64.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

// AVX-512 has one form here: what later ones add is of no use.
#undef HAAGENTI_DCT_AS_AVX3
#if HWY_ARCH_X86 && HWY_TARGET < HWY_AVX3 && (HWY_TARGETS & HWY_AVX3)
#define HAAGENTI_DCT_AS_AVX3
namespace haagenti::N_AVX3 {
void AnyRowsF64(const dct::LinesArgs<double>& args);
void AnyColsF64(const dct::LinesArgs<double>& args);
}  // namespace haagenti::N_AVX3
namespace haagenti::HWY_NAMESPACE {
using N_AVX3::AnyColsF64;
using N_AVX3::AnyRowsF64;
}  // namespace haagenti::HWY_NAMESPACE
#endif

#ifndef HAAGENTI_DCT_AS_AVX3
#include "transform/dct/any_lines-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
void AnyRowsF64(const dct::LinesArgs<double>& args) { any_length::LaneRows(args); }
void AnyColsF64(const dct::LinesArgs<double>& args) { any_length::LaneCols(args); }
}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace haagenti {
HWY_EXPORT(AnyRowsF64);
HWY_EXPORT(AnyColsF64);

void dct::any_rows_f64(const LinesArgs<double>& args) { HWY_DYNAMIC_DISPATCH(AnyRowsF64)(args); }
void dct::any_cols_f64(const LinesArgs<double>& args) { HWY_DYNAMIC_DISPATCH(AnyColsF64)(args); }

}  // namespace haagenti
#endif
