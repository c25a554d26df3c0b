// The table of quantisers and its look-ups.
#include <algorithm>

#include "haagenti/base/error.h"
#include "haagenti/quantize/quantizer.h"

namespace haagenti {

#define HGT_QUANTIZER(symbol, name, wire, version) QuantizerFunctions name##_quantizer();
#include "haagenti/quantize/quantizers.def"
#undef HGT_QUANTIZER

void ErrorSums::add(const ErrorSums& other) {
  signal_energy += other.signal_energy;
  error_energy += other.error_energy;
  dot += other.dot;
  max_abs = std::max(max_abs, other.max_abs);
  max_abs_error = std::max(max_abs_error, other.max_abs_error);
}

std::span<const Quantizer> quantizer_table() {
  static const Quantizer table[] = {
#define HGT_QUANTIZER(symbol, name, wire, version) {QuantizerId::symbol, #name, version, name##_quantizer()},
#include "haagenti/quantize/quantizers.def"
#undef HGT_QUANTIZER
  };
  return table;
}

const Quantizer& quantizer_from_wire(std::uint16_t id, std::uint16_t version) {
  for (const Quantizer& row : quantizer_table()) {
    if (static_cast<std::uint16_t>(row.id) == id && row.version == version) return row;
  }
  fail(ErrorKind::kUnsupported, "quantiser id ", id, " version ", version, " is not known to this build");
}

const Quantizer& quantizer(QuantizerId id) {
  for (const Quantizer& row : quantizer_table()) {
    if (row.id == id) return row;
  }
  fail(ErrorKind::kUnsupported, "quantiser id ", static_cast<int>(id), " is not in the table");
}

}  // namespace haagenti
