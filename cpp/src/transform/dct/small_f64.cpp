// The kernels of small.h for double, for every instruction set. See small_kernels.h.
#include "transform/dct/small_kernels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "transform/dct/small_f64.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
#include "hwy/highway.h"

// AVX-512 has one form here: what later ones add is of no use.
#undef HAAGENTI_DCT_AS_AVX3
#if HWY_ARCH_X86 && HWY_TARGET < HWY_AVX3 && (HWY_TARGETS & HWY_AVX3)
#define HAAGENTI_DCT_AS_AVX3
namespace haagenti::N_AVX3 {
void RowsF64(const dct::SmallCall<double>& call, const dct::SmallTables<double>& tables);
void ColsF64(const dct::SmallCall<double>& call, const dct::SmallTables<double>& tables);
void TileF64(const dct::SmallCall<double>& call, const dct::SmallTables<double>& tables, double* scratch);
}  // namespace haagenti::N_AVX3
namespace haagenti::HWY_NAMESPACE {
using N_AVX3::ColsF64;
using N_AVX3::RowsF64;
using N_AVX3::TileF64;
}  // namespace haagenti::HWY_NAMESPACE
#endif

#ifndef HAAGENTI_DCT_AS_AVX3
#include "transform/dct/small-inl.h"

HWY_BEFORE_NAMESPACE();
namespace haagenti::HWY_NAMESPACE {
void RowsF64(const SmallCall<double>& call, const dct::SmallTables<double>& tables) { SmallRows(call, tables); }
void ColsF64(const SmallCall<double>& call, const dct::SmallTables<double>& tables) { SmallCols(call, tables); }
void TileF64(const SmallCall<double>& call, const dct::SmallTables<double>& tables, double* scratch) { SmallTile(call, tables, scratch); }
}  // namespace haagenti::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif

#if HWY_ONCE
namespace haagenti {
HWY_EXPORT(RowsF64);
HWY_EXPORT(ColsF64);
HWY_EXPORT(TileF64);

void dct::rows_f64(const SmallCall<double>& call) { HWY_DYNAMIC_DISPATCH(RowsF64)(call, small_tables<double>()); }
void dct::cols_f64(const SmallCall<double>& call) { HWY_DYNAMIC_DISPATCH(ColsF64)(call, small_tables<double>()); }
void dct::tile_f64(const SmallCall<double>& call, double* scratch) { HWY_DYNAMIC_DISPATCH(TileF64)(call, small_tables<double>(), scratch); }

}  // namespace haagenti
#endif
