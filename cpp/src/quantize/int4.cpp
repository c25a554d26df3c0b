// `int4`: two offset-8 nibbles a byte, a binary16 scale a group.
#include "quantize/grouped.h"

namespace haagenti {

QuantizerFunctions int4_quantizer() { return grouped::functions<IntWidth::kInt4>(); }

}  // namespace haagenti
