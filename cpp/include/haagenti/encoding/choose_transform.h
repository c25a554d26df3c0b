// Measures what each transform gains on a tensor.
// Not responsible for what a caller named itself.
#pragma once

#include <string>
#include <vector>

#include "haagenti/encoding/encode.h"

namespace haagenti {

// Decibels that a transform must gain over the identity to be taken.
inline constexpr double kLeastGain = 0.1;

struct TransformMeasure {
  TransformId id;
  TransformParams params;
  double snr_db;           // of the sample after quantisation, in the tensor's own values
  double bits_per_weight;  // of the segments
  double gain_db;          // over the identity at equal bits: a bit more or less counts as 6.02 dB; infinite where the identity cannot be stored
};

struct TransformChoice {
  TransformId id = TransformId::kIdentity;
  TransformParams params;  // measured, with the gain of the best transform
};

// The identity first, then every transform of the table that fits the matrix, quantised as `stages` say: whole rows of it, or for
// transforms of tiles whole tiles, each beside the identity on the same values. A transform whose values the codes cannot hold is left out, the
// identity too. Empty when the sample has a value that is not finite, or nothing to measure.
std::vector<TransformMeasure> measure_transforms(const TensorView& tensor, const Stages& stages, ScaleRule rule);

// The same for an encoding by name; throws InvalidArgument when the view contradicts itself or the encoding does not take its dtype.
std::vector<TransformMeasure> measure_transforms(const TensorView& tensor, const EncodingSpec& spec);

// The best of them; the identity unless a transform gains kLeastGain.
TransformChoice choose_transform(const TensorView& tensor, const Stages& stages, ScaleRule rule);

}  // namespace haagenti
