// The streaming objects Encoder and Decoder. One call at a time: others wait without the GIL.
#include <mutex>

#include "boxed.h"
#include "bytes_output.h"
#include "codec_arguments.h"
#include "byte_argument.h"
#include "codec_docs.h"
#include "haagenti/base/error.h"
#include "haagenti/base/executor.h"
#include "haagenti/bytecodec/sessions.h"
#include "module.h"

namespace haagenti::bindings {
namespace {

namespace py = pybind11;

// A decoder that waits for input makes little of this much; any chunk may complete an encoder's block.
constexpr std::size_t kShort = 256;

template <class Session>
struct Stream {
  const ByteCodec& codec;
  Session session;
  std::mutex mutex{};
  const unsigned generation = fork_generation();

  // Calls body(out) and returns what it appended. Where is_long(), the GIL is given up meanwhile.
  template <class IsLong, class Body>
  PyObject* produce(IsLong is_long, Body body) {
    const auto lock = locked();
    BytesOutput out;
    if (is_long()) out.release_gil();
    body(out);
    out.acquire_gil();
    return out.take();
  }

  // Never waits with the GIL: the holder of the lock may need it.
  std::unique_lock<std::mutex> locked() {
    std::unique_lock lock(mutex, std::try_to_lock);
    if (!lock.owns_lock()) {
      // Whoever holds it does not exist in a forked child.
      if (generation != fork_generation()) fail(ErrorKind::kInvalidArgument, "the stream was being used while the process forked");
      const GilRelease release;
      lock.lock();
    }
    return lock;
  }
};

using EncoderStream = Stream<EncodeSession>;
using DecoderStream = Stream<DecodeSession>;

const ByteCodec& streaming_algorithm(PyObject* object) {
  const ByteCodec& codec = algorithm_argument(object);
  if (codec.functions.stream.encoder == nullptr) fail(ErrorKind::kInvalidArgument, codec.name, " is a raw block and has no streams; use compress and decompress");
  return codec;
}

template <class Impl>
PyObject* enter(PyObject* self, PyObject*) {
  return Py_NewRef(self);
}

// Whatever was not finished is given up.
template <class Impl>
PyObject* exit(PyObject* self, PyObject* const*, Py_ssize_t, PyObject*) {
  return guarded([&] {
    auto& stream = unboxed<Impl>(self);
    const auto lock = stream.locked();
    stream.session.discard();
    return Py_NewRef(Py_None);
  });
}

// --- Encoder ---------------------------------------------------------------------------------------------------------------------------

constexpr Parameters<5> kNewEncoder{"Encoder", {"algorithm", "level", "dictionary", "threads", "checksum"}, 1};
constexpr Parameters<1> kWriteChunk{"write", {"chunk"}, 1};
constexpr Parameters<0> kFlush{"flush", {}, 0};
constexpr Parameters<0> kFinish{"finish", {}, 0};

PyObject* new_encoder(PyTypeObject* type, PyObject* args, PyObject* keywords) {
  return new_boxed<EncoderStream>(type, [&] {
    const auto [algorithm, level, dictionary, threads, checksum] = kNewEncoder.read_tuple(args, keywords);
    const ByteCodec& codec = streaming_algorithm(algorithm);
    const CompressOptions options = compress_options_argument(codec, level, dictionary, threads, checksum, true);
    return std::unique_ptr<EncoderStream>(new EncoderStream{codec, EncodeSession(codec.functions.stream.encoder(options))});
  });
}

PyObject* encoder_write(PyObject* self, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    const auto [chunk] = kWriteChunk.read(args, n_args, keywords);
    const ByteArgument bytes(chunk, "chunk");
    auto& stream = unboxed<EncoderStream>(self);
    return stream.produce([] { return true; }, [&](Output& out) { stream.session.write(bytes.bytes(), out); });
  });
}

PyObject* encoder_flush(PyObject* self, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    kFlush.read(args, n_args, keywords);
    auto& stream = unboxed<EncoderStream>(self);
    return stream.produce([] { return true; }, [&](Output& out) { stream.session.flush(out); });
  });
}

PyObject* encoder_finish(PyObject* self, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    kFinish.read(args, n_args, keywords);
    auto& stream = unboxed<EncoderStream>(self);
    return stream.produce([] { return true; }, [&](Output& out) { stream.session.finish(out); });
  });
}

// --- Decoder ---------------------------------------------------------------------------------------------------------------------------

constexpr Parameters<5> kNewDecoder{"Decoder", {"algorithm", "max_size", "dictionary", "allow_trailing", "single_frame"}, 1, 3};
constexpr Parameters<2> kWriteLimited{"write", {"chunk", "max_length"}, 1};

PyObject* new_decoder(PyTypeObject* type, PyObject* args, PyObject* keywords) {
  return new_boxed<DecoderStream>(type, [&] {
    const auto [algorithm, max_size, dictionary, trailing, single] = kNewDecoder.read_tuple(args, keywords);
    const ByteCodec& codec = streaming_algorithm(algorithm);
    const DecompressOptions options = decompress_options(codec, 1, false, dictionary_argument(dictionary));
    const DecodeSessionOptions limits{size_argument(max_size, "max_size", BytesOutput::kNoLimit), flag_argument(trailing), flag_argument(single)};
    return std::unique_ptr<DecoderStream>(new DecoderStream{codec, DecodeSession(codec.functions.stream.decoder(options), limits)});
  });
}

PyObject* decoder_write(PyObject* self, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    const auto [chunk, max_length] = kWriteLimited.read(args, n_args, keywords);
    const bool unlimited = max_length != nullptr && PyLong_CheckExact(max_length) && PyLong_AsLong(max_length) == -1 && !PyErr_Occurred();
    PyErr_Clear();  // a number that is no long is size_argument's to report
    const std::size_t most = unlimited ? BytesOutput::kNoLimit : size_argument(max_length, "max_length", BytesOutput::kNoLimit);
    const ByteArgument bytes(chunk, "chunk");
    auto& stream = unboxed<DecoderStream>(self);
    const auto is_long = [&] { return bytes.bytes().size() > kShort || !stream.session.needs_input() || stream.codec.id == CodecId::kBrotli; };
    return stream.produce(is_long, [&](Output& out) { stream.session.write(bytes.bytes(), most, out); });
  });
}

PyObject* decoder_finish(PyObject* self, PyObject* const* args, Py_ssize_t n_args, PyObject* keywords) {
  return guarded([&] {
    kFinish.read(args, n_args, keywords);
    auto& stream = unboxed<DecoderStream>(self);
    return stream.produce([] { return true; }, [&](Output& out) { stream.session.finish(out); });
  });
}

PyObject* decoder_eof(PyObject* self, void*) {
  auto& stream = unboxed<DecoderStream>(self);
  const auto lock = stream.locked();
  return PyBool_FromLong(stream.session.eof());
}

PyObject* decoder_needs_input(PyObject* self, void*) {
  auto& stream = unboxed<DecoderStream>(self);
  const auto lock = stream.locked();
  return PyBool_FromLong(stream.session.needs_input());
}

PyObject* decoder_unused_data(PyObject* self, void*) {
  auto& stream = unboxed<DecoderStream>(self);
  const auto lock = stream.locked();
  const ByteView unused = stream.session.unused_data();
  return PyBytes_FromStringAndSize(reinterpret_cast<const char*>(unused.data()), static_cast<Py_ssize_t>(unused.size()));
}

template <class Impl>
PyObject* algorithm_of(PyObject* self, void*) {
  const std::string_view name = unboxed<Impl>(self).codec.name;
  return PyUnicode_FromStringAndSize(name.data(), static_cast<Py_ssize_t>(name.size()));
}

constexpr const char* kEnterDoc = "__enter__($self)\n--\n\n";
constexpr const char* kExitDoc = "__exit__($self, *exc)\n--\n\nGives up a stream that was not finished.";

}  // namespace

void bind_codec_streams(py::module_& module) {
  static PyMethodDef encoder_methods[] = {
      fast_method("write", encoder_write, docs::kEncoderWrite),
      fast_method("flush", encoder_flush, docs::kEncoderFlush),
      fast_method("finish", encoder_finish, docs::kEncoderFinish),
      {"__enter__", &enter<EncoderStream>, METH_NOARGS, kEnterDoc},
      fast_method("__exit__", exit<EncoderStream>, kExitDoc),
      {nullptr, nullptr, 0, nullptr},
  };
  static PyGetSetDef encoder_properties[] = {
      {"algorithm", algorithm_of<EncoderStream>, nullptr, "Name of the algorithm.", nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  add_boxed_type<EncoderStream>(module, "haagenti.streaming.Encoder",
                                {{Py_tp_new, reinterpret_cast<void*>(&new_encoder)},
                                 {Py_tp_methods, encoder_methods},
                                 {Py_tp_getset, encoder_properties},
                                 {Py_tp_doc, const_cast<char*>(docs::kEncoder)}});
  static PyMethodDef decoder_methods[] = {
      fast_method("write", decoder_write, docs::kDecoderWrite),
      fast_method("finish", decoder_finish, docs::kDecoderFinish),
      {"__enter__", &enter<DecoderStream>, METH_NOARGS, kEnterDoc},
      fast_method("__exit__", exit<DecoderStream>, kExitDoc),
      {nullptr, nullptr, 0, nullptr},
  };
  static PyGetSetDef decoder_properties[] = {
      {"algorithm", algorithm_of<DecoderStream>, nullptr, "Name of the algorithm.", nullptr},
      {"eof", decoder_eof, nullptr, "Whether a frame has ended and nothing of another has come.", nullptr},
      {"needs_input", decoder_needs_input, nullptr, "False while write(b\"\") can give out more without further input.", nullptr},
      {"unused_data", decoder_unused_data, nullptr, "What came after the end of the compressed data.", nullptr},
      {nullptr, nullptr, nullptr, nullptr, nullptr},
  };
  add_boxed_type<DecoderStream>(module, "haagenti.streaming.Decoder",
                                {{Py_tp_new, reinterpret_cast<void*>(&new_decoder)},
                                 {Py_tp_methods, decoder_methods},
                                 {Py_tp_getset, decoder_properties},
                                 {Py_tp_doc, const_cast<char*>(docs::kDecoder)}});
}

}  // namespace haagenti::bindings
