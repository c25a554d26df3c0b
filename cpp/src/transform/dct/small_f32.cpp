// The kernels of small.h for float, for every instruction set. See small_kernels.h.
#include "transform/dct/small_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "transform/dct/small_f32.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

// AVX-512 has one form here: what later ones add is of no use.
#undef HAAGENTI_DCT_AS_AVX3
#if HWY_ARCH_X86 && HWY_TARGET < HWY_AVX3 && (HWY_TARGETS & HWY_AVX3)
#define HAAGENTI_DCT_AS_AVX3
namespace haagenti::N_AVX3 {
void RowsF32(const dct::SmallCall<float>& call, const dct::SmallTables<float>& tables);
void ColsF32(const dct::SmallCall<float>& call, const dct::SmallTables<float>& tables);
void TileF32(const dct::SmallCall<float>& call, const dct::SmallTables<float>& tables, float* scratch);
}  // namespace haagenti::N_AVX3
namespace haagenti::HWY_NAMESPACE {
using N_AVX3::ColsF32;
using N_AVX3::RowsF32;
using N_AVX3::TileF32;
}  // namespace haagenti::HWY_NAMESPACE
#endif

#ifndef HAAGENTI_DCT_AS_AVX3
#include "transform/dct/small-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
void RowsF32(const SmallCall<float>& call, const dct::SmallTables<float>& tables) { SmallRows(call, tables); }
void ColsF32(const SmallCall<float>& call, const dct::SmallTables<float>& tables) { SmallCols(call, tables); }
void TileF32(const SmallCall<float>& call, const dct::SmallTables<float>& tables, float* scratch) { SmallTile(call, tables, scratch); }
}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace haagenti {
HWY_EXPORT(RowsF32);
HWY_EXPORT(ColsF32);
HWY_EXPORT(TileF32);

void dct::rows_f32(const SmallCall<float>& call) { HWY_DYNAMIC_DISPATCH(RowsF32)(call, small_tables<float>()); }
void dct::cols_f32(const SmallCall<float>& call) { HWY_DYNAMIC_DISPATCH(ColsF32)(call, small_tables<float>()); }
void dct::tile_f32(const SmallCall<float>& call, float* scratch) { HWY_DYNAMIC_DISPATCH(TileF32)(call, small_tables<float>(), scratch); }

}  // namespace haagenti
#endif
