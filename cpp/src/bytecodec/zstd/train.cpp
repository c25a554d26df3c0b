// Makes a dictionary from samples, with the settings of the zstd command (fastCover, d = 8, k searched).
#include <zdict.h>

#include <limits>

#include "haagenti/base/checked.h"
#include "haagenti/base/error.h"
#include "haagenti/bytecodec/dictionary.h"

namespace haagenti {
namespace {

constexpr std::size_t kSmallest = 256;                                       // zdict.h: ZDICT_DICTSIZE_MIN
constexpr std::size_t kLargest = std::numeric_limits<std::uint32_t>::max();  // what the library counts with, here and for the samples

struct Samples {
  std::vector<std::uint8_t> bytes;
  std::vector<std::size_t> sizes;
};

std::uint64_t total_size(std::span<const ByteView> samples) {
  std::uint64_t total = 0;
  for (const ByteView sample : samples) {
    const auto sum = checked_add(total, sample.size());
    if (!sum || *sum > kLargest) fail(ErrorKind::kInvalidArgument, "a dictionary is made from samples of ", kLargest, " bytes at most");
    total = *sum;
  }
  return total;
}

Samples joined(std::span<const ByteView> samples) {
  Samples all;
  all.bytes.reserve(total_size(samples));
  all.sizes.reserve(samples.size());
  for (const ByteView sample : samples) {
    all.bytes.insert(all.bytes.end(), sample.begin(), sample.end());
    all.sizes.push_back(sample.size());
  }
  return all;
}

}  // namespace

std::vector<std::uint8_t> train_dictionary(std::span<const ByteView> samples, std::size_t max_bytes) {
  if (samples.empty()) fail(ErrorKind::kInvalidArgument, "no samples to make a dictionary from");
  if (max_bytes < kSmallest || max_bytes > kLargest) {
    fail(ErrorKind::kInvalidArgument, "a dictionary of at most ", max_bytes, " bytes was asked for, expected ", kSmallest, " to ",
         kLargest);
  }
  if (samples.size() > kLargest) fail(ErrorKind::kInvalidArgument, samples.size(), " samples are too many: ", kLargest, " at most");
  const Samples all = joined(samples);
  std::vector<std::uint8_t> dictionary(max_bytes);
  const auto n_samples = static_cast<unsigned>(all.sizes.size());
  const std::size_t size =
      ZDICT_trainFromBuffer(dictionary.data(), dictionary.size(), all.bytes.data(), all.sizes.data(), n_samples);
  if (ZDICT_isError(size)) {
    fail(ErrorKind::kInvalidArgument, "no dictionary can be made from these ", samples.size(), " samples of ", all.bytes.size(),
         " bytes in all: ", ZDICT_getErrorName(size), "; more samples, or larger ones, are needed");
  }
  dictionary.resize(size);
  return dictionary;
}

}  // namespace haagenti
