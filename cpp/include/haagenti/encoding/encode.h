// Makes records.
// Not responsible for which encoding suits a tensor, nor for tensors' names beyond error messages.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "haagenti/base/buffer.h"
#include "haagenti/base/bytes.h"
#include "haagenti/base/dtype.h"
#include "haagenti/encoding/encoding_spec.h"

namespace haagenti {

// A tensor whose bytes already lie in the order of the matrix (see spec.md, "Model").
struct TensorView {
  ByteView bytes;
  DType dtype;
  std::vector<std::uint64_t> dims;
  std::vector<std::uint8_t> perm;
  std::uint64_t n_rows;
  std::uint64_t row_length;
  std::string name;
};

struct EncodedTensor {
  Buffer record;
  std::string fallback_reason;  // why the tensor was stored by `raw` instead; empty when it was not
};

// Throws InvalidArgument when the view contradicts itself or the encoding does not take its dtype.
EncodedTensor encode(const TensorView& tensor, const EncodingSpec& spec);

}  // namespace haagenti
