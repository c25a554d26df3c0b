// What a caller asks of the transform: its text, and the transform of one matrix that it becomes.
//
//   identity | auto | dct_rows | dct_2d | block_dct[(block)] | hadamard[(block[, seed=number])]
//
// Not responsible for measuring (choose_transform.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "haagenti/transform/transform.h"

namespace haagenti {

struct TransformRequest {
  bool automatic = false;  // the encoder measures
  TransformId id = TransformId::kIdentity;
  std::uint32_t block = 0;  // 0: the default of the transform for the matrix
  std::uint32_t seed = 0;
};

// Nothing when it is no transform.
std::optional<TransformRequest> parse_transform(std::string_view text);

std::string transform_text(const TransformRequest& request);
std::string transform_text(TransformId id, const TransformParams& params);

// The parameters for a matrix. Throws InvalidArgument when the block does not fit it.
TransformParams settle_transform(const TransformRequest& request, std::uint64_t n_rows, std::uint64_t row_length);

}  // namespace haagenti
