// The reused objects Compressor and Decompressor. Several threads may use one at once: each takes a context of its own.
#include <array>
#include <mutex>

#include "boxed.h"
#include "codec_calls.h"
#include "codec_docs.h"
#include "haagenti/base/error.h"
#include "module.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

// Contexts that are not in use.
template <class Context>
class ContextPool {
 public:
  // Gives its context back when it goes.
  class Lease {
   public:
    Lease(ContextPool& pool, std::unique_ptr<Context> context) : pool_(pool), context_(std::move(context)) {}
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    ~Lease() {
      const std::lock_guard lock(pool_.mutex_);
      pool_.idle_.push_back(std::move(context_));
    }
    Context& operator*() const { return *context_; }

   private:
    ContextPool& pool_;
    std::unique_ptr<Context> context_;
  };

  template <class Make>
  Lease lease(Make make) {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Context> context = std::move(idle_.back());
        idle_.pop_back();
        return {*this, std::move(context)};
      }
      idle_.reserve(idle_.capacity() + 1);  // giving back never allocates
    }
    return {*this, make()};
  }

 private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<Context>> idle_;
};

struct ReusedCompressor {
  const ByteCodec& codec;
  CompressOptions options;
  ContextPool<Compressor> pool{};

  auto lease() {
    return pool.lease([&] { return made_without_gil([&] { return codec.functions.stream.compressor(options); }); });
  }
};

struct ReusedDecompressor {
  const ByteCodec* codec;  // null: detected anew for every input
  long long threads;
  bool allow_trailing;
  std::shared_ptr<const Dictionary> dictionary;
  DecompressLimits limits;
  std::array<ContextPool<Decompressor>, 16> pools{};

  auto lease(const ByteCodec& chosen) {
    return pools.at(static_cast<std::size_t>(chosen.id)).lease([&] {
      return made_without_gil([&] { return chosen.functions.stream.decompressor(decompress_options(chosen, threads, allow_trailing, dictionary)); });
    });
  }
};

// --- Compressor ------------------------------------------------------------------------------------------------------------------------

constexpr Parameters<5> kNewCompressor{"Compressor", {"algorithm", "level", "dictionary", "threads", "checksum"}, 1};
constexpr Parameters<1> kCompress{"compress", {"data"}, 1};
constexpr Parameters<2> kCompressInto{"compress_into", {"data", "out"}, 2};

PyObject* new_compressor(PyTypeObject* type, PyObject* args, PyObject* keywords) {
  return new_boxed<ReusedCompressor>(type, [&] {
    const auto [algorithm, level, dictionary, threads, checksum] = kNewCompressor.read_tuple(args, keywords);
    const ByteCodec& codec = algorithm_argument(algorithm);
    auto made = std::unique_ptr<ReusedCompressor>(
        new ReusedCompressor{codec, compress_options_argument(codec, level, dictionary, threads, checksum, false)});
    made->lease();  // refuses here what the codec refuses
    return made;
  });
}

PyObject* compress(PyObject* self, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    const auto [data] = kCompress.read(args, n_args, keywords);
    const ByteArgument src(data, "data");
    return compress_to_bytes(*unboxed<ReusedCompressor>(self).lease(), src);
  });
}

PyObject* compress_into(PyObject* self, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    const auto [data, out] = kCompressInto.read(args, n_args, keywords);
    const ByteArgument src(data, "data");
    const ByteArgument dst(out, "out", ByteArgument::Access::kWrite);
    return compress_to_buffer(*unboxed<ReusedCompressor>(self).lease(), src, dst);
  });
}

PyObject* compressor_algorithm(PyObject* self, void*) {
  const std::string_view name = unboxed<ReusedCompressor>(self).codec.name;
  return PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size()));
}

PyObject* compressor_level(PyObject* self, void*) { return PyLong_FromLong(unboxed<ReusedCompressor>(self).options.level); }

py::object dictionary_bytes(const std::shared_ptr<const Dictionary>& dictionary) {
  if (!dictionary) return py::none();
  return py::bytes(reinterpret_cast<const char*>(dictionary->bytes().data()), dictionary->bytes().size());
}

// For pickle and copy: the options, not the memory.
PyObject* reduce_compressor(PyObject* self, PyObject*) {
  return guarded([&] {
    const auto& [codec, options, pool] = unboxed<ReusedCompressor>(self);
    const bool choice = codec.functions.stream.checksum == ChecksumChoice::kOptional;
    const py::tuple arguments = py::make_tuple(std::string(codec.name), options.level, dictionary_bytes(options.dictionary), options.threads,
                                               choice ? py::object(py::bool_(options.checksum)) : py::object(py::none()));
    return py::make_tuple(py::type::of(py::handle(self)), arguments).release().ptr();
  });
}

PyObject* compressor_repr(PyObject* self) {
  const auto& reused = unboxed<ReusedCompressor>(self);
  const std::string text = concat("haagenti.Compressor('", reused.codec.name, "', level=", reused.options.level, ", threads=", reused.options.threads, ")");
  return PyUnicode_FromString(text.c_str());
}

// --- Decompressor ----------------------------------------------------------------------------------------------------------------------

constexpr Parameters<5> kNewDecompressor{"Decompressor", {"algorithm", "max_size", "dictionary", "threads", "allow_trailing"}, 0, 4};
constexpr Parameters<2> kDecompress{"decompress", {"data", "size"}, 1};
constexpr Parameters<2> kDecompressInto{"decompress_into", {"data", "out"}, 2};

PyObject* new_decompressor(PyTypeObject* type, PyObject* args, PyObject* keywords) {
  return new_boxed<ReusedDecompressor>(type, [&] {
    const auto [algorithm, max_size, dictionary, threads, trailing] = kNewDecompressor.read_tuple(args, keywords);
    const ByteCodec* codec = is_given(algorithm) ? &algorithm_argument(algorithm) : nullptr;
    auto made = std::unique_ptr<ReusedDecompressor>(new ReusedDecompressor{
        codec, threads_argument(threads), flag_argument(trailing), dictionary_argument(dictionary), limits_argument(max_size, nullptr)});
    decompress_options(byte_codec(CodecId::kZstd), made->threads, false, nullptr);  // checks the number of threads
    if (codec != nullptr) made->lease(*codec);
    return made;
  });
}

PyObject* decompress(PyObject* self, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    const auto [data, size] = kDecompress.read(args, n_args, keywords);
    auto& reused = unboxed<ReusedDecompressor>(self);
    DecompressLimits limits = reused.limits;
    if (is_given(size)) limits.size = size_argument(size, "size", BytesOutput::kNoLimit);
    const ByteArgument src(data, "data");
    const ByteCodec& codec = codec_of(reused.codec, src.bytes());
    return decompress_to_bytes(codec, *reused.lease(codec), src, limits);
  });
}

PyObject* decompress_into(PyObject* self, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    const auto [data, out] = kDecompressInto.read(args, n_args, keywords);
    auto& reused = unboxed<ReusedDecompressor>(self);
    const ByteArgument src(data, "data");
    const ByteArgument dst(out, "out", ByteArgument::Access::kWrite);
    const ByteCodec& codec = codec_of(reused.codec, src.bytes());
    return decompress_to_buffer(codec, *reused.lease(codec), src, dst);
  });
}

PyObject* decompressor_algorithm(PyObject* self, void*) {
  const ByteCodec* codec = unboxed<ReusedDecompressor>(self).codec;
  if (codec == nullptr) return Py_NewRef(Py_None);
  return PyUnicode_FromStringAndSize(codec->name.data(), static_cast<Py_ssize_t>(codec->name.size()));
}

PyObject* reduce_decompressor(PyObject* self, PyObject*) {
  return guarded([&] {
    const auto& reused = unboxed<ReusedDecompressor>(self);
    const py::object name = reused.codec == nullptr ? py::object(py::none()) : py::object(py::str(std::string(reused.codec->name)));
    const bool limited = reused.limits.max_size != BytesOutput::kNoLimit;
    const py::tuple arguments = py::make_tuple(name, limited ? py::object(py::int_(reused.limits.max_size)) : py::object(py::none()),
                                               dictionary_bytes(reused.dictionary), reused.threads);
    const py::object partial = py::module_::import("functools").attr("partial");
    const py::object make = partial(py::type::of(py::handle(self)), py::arg("allow_trailing") = reused.allow_trailing);
    return py::make_tuple(make, arguments).release().ptr();
  });
}

PyObject* decompressor_repr(PyObject* self) {
  const auto& reused = unboxed<ReusedDecompressor>(self);
  const std::string name = reused.codec == nullptr ? "None" : concat("'", reused.codec->name, "'");
  return PyUnicode_FromString(concat("haagenti.Decompressor(", name, ", threads=", reused.threads, ")").c_str());
}

}  // namespace

void bind_codec_objects(py::module_& module) {
  static PyMethodDef compressor_methods[] = {
      fast_method("compress", compress, docs::kCompressorCompress),
      fast_method("compress_into", compress_into, docs::kCompressorCompressInto),
      {"__reduce__", &reduce_compressor, METH_NOARGS, nullptr},
      {nullptr, nullptr, 0, nullptr},
  };
  static PyGetSetDef compressor_properties[] = {
      {"algorithm", compressor_algorithm, nullptr, "Name of the algorithm.", nullptr},
      {"level", compressor_level, nullptr, "Level as the library numbers it.", nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  add_boxed_type<ReusedCompressor>(module, "haagenti.Compressor",
                                   {{Py_tp_new, reinterpret_cast<void*>(&new_compressor)},
                                    {Py_tp_methods, compressor_methods},
                                    {Py_tp_getset, compressor_properties},
                                    {Py_tp_repr, reinterpret_cast<void*>(&compressor_repr)},
                                    {Py_tp_doc, const_cast<char*>(docs::kCompressor)}});
  static PyMethodDef decompressor_methods[] = {
      fast_method("decompress", decompress, docs::kDecompressorDecompress),
      fast_method("decompress_into", decompress_into, docs::kDecompressorDecompressInto),
      {"__reduce__", &reduce_decompressor, METH_NOARGS, nullptr},
      {nullptr, nullptr, 0, nullptr},
  };
  static PyGetSetDef decompressor_properties[] = {
      {"algorithm", decompressor_algorithm, nullptr, "Name of the algorithm; None detects it.", nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  add_boxed_type<ReusedDecompressor>(module, "haagenti.Decompressor",
                                     {{Py_tp_new, reinterpret_cast<void*>(&new_decompressor)},
                                      {Py_tp_methods, decompressor_methods},
                                      {Py_tp_getset, decompressor_properties},
                                      {Py_tp_repr, reinterpret_cast<void*>(&decompressor_repr)},
                                      {Py_tp_doc, const_cast<char*>(docs::kDecompressor)}});
}

}  // namespace haagenti::bindings
