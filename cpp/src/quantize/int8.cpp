// `int8`: one signed byte an element, a binary16 scale a group.
#include "quantize/grouped.h"

namespace haagenti {

QuantizerFunctions int8_quantizer() { return grouped::functions<IntWidth::kInt8>(); }

}  // namespace haagenti
