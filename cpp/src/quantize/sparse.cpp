// `sparse`: its row of the table, its parameters and sizes.
#include "quantize/sparse.h"

#include <cmath>

#include "haagenti/base/error.h"

namespace haagenti {
namespace sparse {
namespace {

constexpr SegmentKind kSegments[] = {SegmentKind::kIndex, SegmentKind::kMask, SegmentKind::kCodes, SegmentKind::kScales};

bool accepts(DType dtype) { return dtype == DType::kF32 || dtype == DType::kF16 || dtype == DType::kBF16; }

bool decodes_to(DType, DType to) { return accepts(to); }

bool is_target_value(SparseTarget target, float value) {
  const float most = target == SparseTarget::kBitsPerWeight ? 64.0f : 1.0f;
  return value > 0.0f && value <= most;  // false for a NaN
}

bool is_group_size(CoefficientType type, std::uint32_t size) { return has_scales(type) ? size == 32 || size == 64 || size == 128 : size == 0; }

void check_params(ByteView bytes) {
  if (bytes.size() != kSparseParamsSize) fail(ErrorKind::kCorrupt, "parameters of sparse: expected 16 bytes, found ", bytes.size());
  const SparseParams params = SparseParams::load(bytes);
  if (params.coefficients > CoefficientType::kInt4) fail(ErrorKind::kCorrupt, "coefficients of sparse: expected 0 to 3, found ", int{bytes[0]});
  if (params.target > SparseTarget::kBitsPerWeight) fail(ErrorKind::kCorrupt, "target of sparse: expected 0 to 2, found ", int{bytes[1]});
  if (!is_group_size(params.coefficients, params.group_size)) {
    fail(ErrorKind::kCorrupt, "group_size of sparse: expected ", has_scales(params.coefficients) ? "32, 64 or 128" : "0", ", found ", params.group_size);
  }
  if (!is_target_value(params.target, params.target_value)) {
    fail(ErrorKind::kCorrupt, "target value of sparse: expected above 0 and at most ", params.target == SparseTarget::kBitsPerWeight ? 64 : 1, ", found ",
         params.target_value);
  }
  if (!std::isfinite(params.mean)) fail(ErrorKind::kCorrupt, "mean of sparse: expected a finite number, found ", params.mean);
  if (load_le<std::uint32_t>(bytes.data() + 12) != 0) fail(ErrorKind::kCorrupt, "reserved bytes of the parameters of sparse are not zero");
}

// Every position kept for codes and scales, a bit map in every block for masks.
std::uint64_t segment_bytes(std::size_t segment, ChunkShape shape, DType, ByteView bytes) {
  const SparseParams params = SparseParams::load(bytes);
  const std::uint64_t n = shape.rows * shape.cols;
  const std::uint64_t n_full = n / kBlock;
  const auto tail = static_cast<std::uint32_t>(n % kBlock);
  const SegmentSizes full = value_sizes(kBlock, params);
  const SegmentSizes last = value_sizes(tail, params);
  switch (segment) {
    case kIndexSegment: return hd::kSparseEntryBytes * block_count(n);
    case kMaskSegment: return n_full * hd::sparse_bit_map_bytes(kBlock) + hd::sparse_bit_map_bytes(tail);
    case kCodesSegment: return n_full * full.codes + last.codes;
    default: return n_full * full.scales + last.scales;
  }
}

void prepare(const PrepareArgs& args) {
  const SparseParams params = SparseParams::load(args.params);
  if (args.rules.size() != args.chunks.size()) {
    fail(ErrorKind::kInvalidArgument, "sparse: expected a rule for each of ", args.chunks.size(), " chunks, found ", args.rules.size());
  }
  params.target == SparseTarget::kBitsPerWeight ? prepare_bits(args, params) : prepare_share(args, params);
}

constexpr std::size_t kMeanAt = 8;

bool exceeds(std::uint64_t record_bytes, std::uint64_t n_elements, ByteView bytes) {
  const SparseParams params = SparseParams::load(bytes);
  if (params.target != SparseTarget::kBitsPerWeight) return false;
  return 8 * static_cast<double>(record_bytes) > static_cast<double>(params.target_value) * static_cast<double>(n_elements);
}

}  // namespace
}  // namespace sparse

QuantizerFunctions sparse_quantizer() {
  return {
      .lossless = false,
      .params_size = kSparseParamsSize,
      .segments = sparse::kSegments,
      .accepts = sparse::accepts,
      .decodes_to = sparse::decodes_to,
      .check_params = sparse::check_params,
      .segment_bytes = sparse::segment_bytes,
      .quantize = sparse::quantize,
      .dequantize = sparse::dequantize,
      .variable_size = true,
      .prepare = sparse::prepare,
      .mean = [](ByteView params) { return load_le<float>(params.data() + sparse::kMeanAt); },
      .set_mean = [](MutableByteView params, float mean) { store_le(params.data() + sparse::kMeanAt, mean); },
      .exceeds = sparse::exceeds,
  };
}

}  // namespace haagenti
