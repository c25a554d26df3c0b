// The functions compress, decompress and their kin. Each thread keeps the contexts that it used last.
#include <pybind11/stl.h>

#include <array>

#include "boxed.h"
#include "codec_calls.h"
#include "codec_docs.h"
#include "haagenti/base/error.h"
#include "module.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

// A kept context holds no more than this; what high levels need for large inputs is given back.
constexpr std::uint64_t kMostKept = 16u << 20;
constexpr std::size_t kNumSlots = 16;  // by wire number

struct KeptCompressor {
  std::unique_ptr<Compressor> compressor;
  int level = 0;
  bool checksum = false;
};

thread_local std::array<KeptCompressor, kNumSlots> kept_compressors;
thread_local std::array<std::unique_ptr<Decompressor>, kNumSlots> kept_decompressors;

struct CompressCall {
  const ByteCodec& codec;
  CompressOptions options;
};

// Options by position or keyword, in this order, from values[first] on.
template <std::size_t kN>
CompressCall compress_call(const std::array<PyObject*, kN>& values, std::size_t first) {
  const ByteCodec& codec = values[first] != nullptr ? algorithm_argument(values[first]) : byte_codec(CodecId::kZstd);
  return {codec, compress_options_argument(codec, values[first + 1], values[first + 2], values[first + 3], values[first + 4], false)};
}

// Calls use with a Compressor: the thread's own for plain options, one for this call where threads or a dictionary are involved.
template <class Use>
PyObject* with_compressor(const CompressCall& call, Use use) {
  const auto& [codec, options] = call;
  if (options.threads > 1 || options.dictionary) return use(*made_without_gil([&] { return codec.functions.stream.compressor(options); }));
  KeptCompressor& kept = kept_compressors.at(static_cast<std::size_t>(codec.id));
  if (!kept.compressor || kept.level != options.level || kept.checksum != options.checksum) {
    kept = {codec.functions.stream.compressor(options), options.level, options.checksum};
  }
  struct Limit {
    std::unique_ptr<Compressor>& compressor;
    ~Limit() {
      if (compressor->n_bytes_held() > kMostKept) compressor.reset();
    }
  };
  const Limit limit{kept.compressor};
  return use(*kept.compressor);
}

template <class Use>
PyObject* with_decompressor(const ByteCodec& codec, PyObject* threads, PyObject* trailing, PyObject* dictionary, Use use) {
  const DecompressOptions options = decompress_options(codec, threads_argument(threads), flag_argument(trailing), dictionary_argument(dictionary));
  if (options.threads > 1 || options.allow_trailing || options.dictionary) {
    return use(*made_without_gil([&] { return codec.functions.stream.decompressor(options); }));
  }
  std::unique_ptr<Decompressor>& kept = kept_decompressors.at(static_cast<std::size_t>(codec.id));
  if (!kept) kept = codec.functions.stream.decompressor(options);
  return use(*kept);
}

const ByteCodec* optional_algorithm(PyObject* object) { return is_given(object) ? &algorithm_argument(object) : nullptr; }

constexpr Parameters<6> kCompress{"compress", {"data", "algorithm", "level", "dictionary", "threads", "checksum"}, 1};
constexpr Parameters<7> kCompressInto{"compress_into", {"data", "out", "algorithm", "level", "dictionary", "threads", "checksum"}, 2};
constexpr Parameters<7> kDecompress{"decompress", {"data", "algorithm", "max_size", "dictionary", "threads", "size", "allow_trailing"}, 1, 6};
constexpr Parameters<6> kDecompressInto{"decompress_into", {"data", "out", "algorithm", "dictionary", "threads", "allow_trailing"}, 2, 5};
constexpr Parameters<2> kBound{"compress_bound", {"n_bytes", "algorithm"}, 1};

PyObject* compress(PyObject*, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    const auto values = kCompress.read(args, n_args, keywords);
    const CompressCall call = compress_call(values, 1);
    const ByteArgument data(values[0], "data");
    return with_compressor(call, [&](Compressor& compressor) { return compress_to_bytes(compressor, data); });
  });
}

PyObject* compress_into(PyObject*, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    const auto values = kCompressInto.read(args, n_args, keywords);
    const CompressCall call = compress_call(values, 2);
    const ByteArgument data(values[0], "data");
    const ByteArgument out(values[1], "out", ByteArgument::Access::kWrite);
    return with_compressor(call, [&](Compressor& compressor) { return compress_to_buffer(compressor, data, out); });
  });
}

PyObject* decompress(PyObject*, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    const auto [object, algorithm, max_size, dictionary, threads, size, trailing] = kDecompress.read(args, n_args, keywords);
    const ByteArgument data(object, "data");
    const ByteCodec& codec = codec_of(optional_algorithm(algorithm), data.bytes());
    const DecompressLimits limits = limits_argument(max_size, size);
    return with_decompressor(codec, threads, trailing, dictionary,
                             [&](Decompressor& decompressor) { return decompress_to_bytes(codec, decompressor, data, limits); });
  });
}

PyObject* decompress_into(PyObject*, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    const auto [object, buffer, algorithm, dictionary, threads, trailing] = kDecompressInto.read(args, n_args, keywords);
    const ByteArgument data(object, "data");
    const ByteArgument out(buffer, "out", ByteArgument::Access::kWrite);
    const ByteCodec& codec = codec_of(optional_algorithm(algorithm), data.bytes());
    return with_decompressor(codec, threads, trailing, dictionary, [&](Decompressor& decompressor) { return decompress_to_buffer(codec, decompressor, data, out); });
  });
}

// Enough for every level and number of threads.
PyObject* compress_bound(PyObject*, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    const auto [n_bytes, algorithm] = kBound.read(args, n_args, keywords);
    const std::size_t n = size_argument(n_bytes, "n_bytes", BytesOutput::kNoLimit);
    const ByteCodec& codec = algorithm != nullptr ? algorithm_argument(algorithm) : byte_codec(CodecId::kZstd);
    const StreamFunctions& stream = codec.functions.stream;
    std::uint64_t bound = stream.compressor({stream.levels.fast, 1, true, nullptr})->bound(n);
    if (stream.threads) bound = std::max(bound, stream.compressor({stream.levels.fast, 2, true, nullptr})->bound(n));
    return PyLong_FromUnsignedLongLong(bound);
  });
}

const char* checksum_text(ChecksumChoice choice) {
  switch (choice) {
    case ChecksumChoice::kNever: return "never";
    case ChecksumChoice::kOptional: return "optional";
    case ChecksumChoice::kAlways: return "always";
  }
  return "";
}

py::dict describe(const ByteCodec& codec) {
  const StreamFunctions& stream = codec.functions.stream;
  py::dict row;
  row["name"] = std::string(codec.name);
  row["id"] = static_cast<int>(codec.id);
  row["lowest_level"] = stream.levels.lowest;
  row["highest_level"] = stream.levels.highest;
  row["highest_streaming_level"] = stream.levels.highest_streaming;
  row["words"] = py::dict(py::arg("fast") = stream.levels.fast, py::arg("default") = stream.levels.standard, py::arg("best") = stream.levels.best);
  row["library"] = std::string(codec.functions.library);
  row["library_version"] = std::string(codec.functions.library_version);
  row["streaming"] = stream.encoder != nullptr;
  row["dictionary"] = stream.dictionary;
  row["checksum"] = checksum_text(stream.checksum);
  row["threads"] = stream.threads;
  row["parallel_decode"] = stream.parallel_decode;
  row["suffix"] = std::string(stream.suffix);
  return row;
}

py::list algorithms() {
  py::list rows;
  for (const ByteCodec& codec : byte_codec_table()) {
    if (codec.functions.stream.compressor != nullptr) rows.append(describe(codec));
  }
  return rows;
}

py::object detect(const py::object& data) {
  const ByteArgument bytes(data.ptr(), "data");
  const ByteCodec* codec = detect_byte_codec(bytes.bytes());
  return codec == nullptr ? py::object(py::none()) : py::object(py::str(std::string(codec->name)));
}

}  // namespace

void bind_codec_functions(py::module_& module) {
  static PyMethodDef functions[] = {
      fast_method("compress", compress, docs::kCompress),
      fast_method("compress_into", compress_into, docs::kCompressInto),
      fast_method("decompress", decompress, docs::kDecompress),
      fast_method("decompress_into", decompress_into, docs::kDecompressInto),
      fast_method("compress_bound", compress_bound, docs::kCompressBound),
      {nullptr, nullptr, 0, nullptr},
  };
  if (PyModule_AddFunctions(module.ptr(), functions) != 0) throw py::error_already_set();
  module.def("algorithms", &algorithms, "Rows of the table of algorithms, as dictionaries.");
  module.def("detect_algorithm", &detect, py::arg("data"), "Name of the algorithm whose magic number data begins with, or None.");
}

}  // namespace haagenti::bindings
