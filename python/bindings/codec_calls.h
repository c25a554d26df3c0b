// One call of a Compressor or Decompressor on Python's objects: buffers in, bytes or a number out.
// Not responsible for arguments (codec_arguments.h) nor for where the contexts come from.
#pragma once

#include "byte_argument.h"
#include "bytes_output.h"
#include "codec_arguments.h"

namespace haagenti::bindings {

// Arguments are made before a context is chosen: an object's buffer may run Python code, which may compress something itself.
// Digesting a dictionary takes long.
template <class Make>
auto made_without_gil(Make make) {
  const GilRelease release;
  return make();
}

PyObject* compress_to_bytes(Compressor& compressor, const ByteArgument& data);
PyObject* compress_to_buffer(Compressor& compressor, const ByteArgument& data, const ByteArgument& out);

// Sizes as the caller gave them; `size` is the exact one.
struct DecompressLimits {
  std::size_t max_size = BytesOutput::kNoLimit;
  std::optional<std::size_t> size;
};

// The codec given, else (null) the one that data begins with. Throws Corrupt or Truncated when it begins with none.
const ByteCodec& codec_of(const ByteCodec* codec, ByteView data);

PyObject* decompress_to_bytes(const ByteCodec& codec, Decompressor& decompressor, const ByteArgument& data, const DecompressLimits& limits);
PyObject* decompress_to_buffer(const ByteCodec& codec, Decompressor& decompressor, const ByteArgument& data, const ByteArgument& out);

DecompressLimits limits_argument(PyObject* max_size, PyObject* size);

}  // namespace haagenti::bindings
