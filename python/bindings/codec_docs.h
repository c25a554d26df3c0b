// Docstrings of the types and functions that do not go through pybind11. The first line is the signature that inspect shows.
#pragma once

namespace haagenti::bindings::docs {

#define HGT_COMPRESS_OPTIONS                                                                                                           \
  "    algorithm: One of `haagenti.algorithms`.\n"                                                                                     \
  "    level: As the library numbers it, or \"fast\", \"default\" (also None), \"best\".\n"                                            \
  "    dictionary: A `ZstdDict`, or the bytes of a dictionary (zstd, lz4, lz4hc, lz4_block, zlib, deflate).\n"                         \
  "    threads: Threads to compress with; 0 for the number of processors. zstd uses its own workers; lz4, gzip, deflate and zlib\n"   \
  "        are cut into pieces compressed on their own, which every decoder reads as one stream. What comes out does not depend on\n" \
  "        how many threads more than one there are.\n"                                                                                \
  "    checksum: Whether a checksum is stored, where that is a choice (zstd, lz4; off by default).\n"

#define HGT_DATA "    data: bytes, any C-contiguous buffer, numpy array of any dtype, or torch CPU tensor; its bytes are read where they are.\n"

inline constexpr const char* kCompress =
    "compress($module, data, algorithm='zstd', level=None, dictionary=None, threads=1, checksum=None)\n--\n\n"
    "Compresses a buffer.\n\n"
    "Args:\n" HGT_DATA HGT_COMPRESS_OPTIONS
    "\n"
    "Returns:\n    The compressed bytes, as every standard tool reads them.\n\n"
    "Raises:\n"
    "    InvalidArgumentError: An unknown algorithm, a level out of range, memory that is not contiguous.\n"
    "    UnsupportedError: Several threads of an algorithm that has one only.\n\n"
    "Example:\n"
    "    >>> import haagenti\n"
    "    >>> packed = haagenti.compress(bytes(1000), \"lz4\")\n"
    "    >>> len(packed) < 100, haagenti.decompress(packed) == bytes(1000)\n"
    "    (True, True)\n";

inline constexpr const char* kCompressInto =
    "compress_into($module, data, out, algorithm='zstd', level=None, dictionary=None, threads=1, checksum=None)\n--\n\n"
    "Compresses a buffer into another.\n\n"
    "Args:\n" HGT_DATA
    "    out: A writable buffer, numpy array or torch CPU tensor; `compress_bound` bytes are always enough.\n" HGT_COMPRESS_OPTIONS
    "\n"
    "Returns:\n    The number of bytes written.\n\n"
    "Raises:\n    InvalidArgumentError: As `compress`; or out is too small, or shares memory with data.\n\n"
    "Example:\n"
    "    >>> import haagenti\n"
    "    >>> out = bytearray(haagenti.compress_bound(1000, \"gzip\"))\n"
    "    >>> n = haagenti.compress_into(bytes(1000), out, \"gzip\")\n"
    "    >>> haagenti.decompress(out[:n]) == bytes(1000)\n"
    "    True\n";

#define HGT_DECOMPRESS_ERRORS                                                                                            \
  "    CorruptError: Bytes that contradict their format or checksum, or that follow the last frame; with the offset.\n"  \
  "    TruncatedError: Bytes that end too early.\n"                                                                      \
  "    UnsupportedError: A version of the format that this build does not know.\n"                                      \
  "    DecompressionError: More bytes than max_size, or another dictionary than the right one.\n"

inline constexpr const char* kDecompress =
    "decompress($module, data, algorithm=None, max_size=None, dictionary=None, threads=1, size=None, *, allow_trailing=False)\n--\n\n"
    "Decompresses a buffer: all frames or members that it holds.\n\n"
    "Memory grows with what has been decoded, not with what a header claims.\n\n"
    "Args:\n" HGT_DATA
    "    algorithm: None recognises zstd, lz4 frames, gzip and zlib; deflate, brotli and lz4_block must be named.\n"
    "    max_size: Most bytes to decompress to.\n"
    "    dictionary: The dictionary that was used to compress.\n"
    "    threads: Threads to use where parts can be decoded side by side: lz4 frames of independent blocks, gzip whose members state\n"
    "        their size (ours, BGZF), several zstd frames; 0 for the number of processors.\n"
    "    size: The exact number of decompressed bytes, where it is known; lz4_block needs it, or max_size.\n"
    "    allow_trailing: Whether bytes after the last frame are left alone instead of being an error.\n\n"
    "Returns:\n    The decompressed bytes.\n\n"
    "Raises:\n" HGT_DECOMPRESS_ERRORS
    "    InvalidArgumentError: An unknown algorithm, or one that needs size.\n\n"
    "Example:\n"
    "    >>> import haagenti\n"
    "    >>> haagenti.decompress(haagenti.compress(b\"weights\", \"brotli\"), \"brotli\", max_size=100)\n"
    "    b'weights'\n";

inline constexpr const char* kDecompressInto =
    "decompress_into($module, data, out, algorithm=None, dictionary=None, threads=1, *, allow_trailing=False)\n--\n\n"
    "Decompresses a buffer into another.\n\n"
    "Args:\n" HGT_DATA
    "    out: A writable buffer, numpy array or torch CPU tensor that holds all decompressed bytes; it may be larger.\n"
    "    algorithm: As for `decompress`.\n"
    "    dictionary: As for `decompress`.\n"
    "    threads: As for `decompress`.\n"
    "    allow_trailing: As for `decompress`.\n\n"
    "Returns:\n    The number of bytes written.\n\n"
    "Raises:\n    InvalidArgumentError: out is too small, or shares memory with data.\n" HGT_DECOMPRESS_ERRORS
    "\n"
    "Example:\n"
    "    >>> import haagenti\n"
    "    >>> out = bytearray(7)\n"
    "    >>> haagenti.decompress_into(haagenti.compress(b\"weights\"), out)\n"
    "    7\n";

inline constexpr const char* kCompressBound =
    "compress_bound($module, n_bytes, algorithm='zstd')\n--\n\n"
    "Most bytes that compressing n_bytes can take, at every level and number of threads.\n\n"
    "Args:\n"
    "    n_bytes: Bytes of input.\n"
    "    algorithm: One of `haagenti.algorithms`.\n\n"
    "Raises:\n    InvalidArgumentError: An unknown algorithm, or a negative number.\n\n"
    "Example:\n"
    "    >>> import haagenti\n"
    "    >>> haagenti.compress_bound(1000, \"lz4_block\") >= 1000\n"
    "    True\n";

inline constexpr const char* kCompressor =
    "Compressor(algorithm, level=None, dictionary=None, threads=1, checksum=None)\n--\n\n"
    "Compresses buffers one after another with options that are read once and memory that is kept.\n\n"
    "Several threads may use one object at the same time.\n\n"
    "Args:\n" HGT_COMPRESS_OPTIONS
    "\n"
    "Raises:\n    InvalidArgumentError, UnsupportedError: As `compress`.\n\n"
    "Example:\n"
    "    >>> import haagenti\n"
    "    >>> compressor = haagenti.Compressor(\"zstd\", level=1)\n"
    "    >>> [len(compressor.compress(bytes(n))) < n for n in (100, 1000)]\n"
    "    [True, True]\n";
inline constexpr const char* kCompressorCompress = "compress($self, data)\n--\n\nCompresses a buffer; see `haagenti.compress`.";
inline constexpr const char* kCompressorCompressInto =
    "compress_into($self, data, out)\n--\n\nCompresses a buffer into another and returns the bytes written; see `haagenti.compress_into`.";

inline constexpr const char* kDecompressor =
    "Decompressor(algorithm=None, max_size=None, dictionary=None, threads=1, *, allow_trailing=False)\n--\n\n"
    "Decompresses buffers one after another with options that are read once and memory that is kept.\n\n"
    "Several threads may use one object at the same time. The arguments are those of `haagenti.decompress`.\n\n"
    "Example:\n"
    "    >>> import haagenti\n"
    "    >>> decompressor = haagenti.Decompressor(max_size=1000)\n"
    "    >>> [decompressor.decompress(haagenti.compress(b\"weights\", name)) for name in (\"zstd\", \"lz4\", \"gzip\")]\n"
    "    [b'weights', b'weights', b'weights']\n";
inline constexpr const char* kDecompressorDecompress = "decompress($self, data, size=None)\n--\n\nDecompresses a buffer; see `haagenti.decompress`.";
inline constexpr const char* kDecompressorDecompressInto =
    "decompress_into($self, data, out)\n--\n\nDecompresses a buffer into another and returns the bytes written; see `haagenti.decompress_into`.";

inline constexpr const char* kEncoder =
    "Encoder(algorithm, level=None, dictionary=None, threads=1, checksum=None)\n--\n\n"
    "Compresses a stream that comes in chunks.\n\n"
    "As a context manager it gives the stream up when the block is left without finish().\n\n"
    "Args:\n" HGT_COMPRESS_OPTIONS
    "\n"
    "Raises:\n    InvalidArgumentError: As `haagenti.compress`; or lz4_block, which has no streams.\n\n"
    "Example:\n"
    "    >>> from haagenti.streaming import Decoder, Encoder\n"
    "    >>> with Encoder(\"gzip\") as encoder:\n"
    "    ...     packed = encoder.write(b\"some \") + encoder.write(b\"bytes\") + encoder.finish()\n"
    "    >>> Decoder(\"gzip\").write(packed)\n"
    "    b'some bytes'\n";
inline constexpr const char* kEncoderWrite = "write($self, chunk)\n--\n\nTakes a chunk; returns the compressed bytes that are ready, perhaps none.";
inline constexpr const char* kEncoderFlush = "flush($self)\n--\n\nReturns all that a decoder needs to read what was written so far. It costs some compression.";
inline constexpr const char* kEncoderFinish = "finish($self)\n--\n\nEnds the stream and returns its last bytes. Nothing can be written afterwards.";

inline constexpr const char* kDecoder =
    "Decoder(algorithm, max_size=None, dictionary=None, *, allow_trailing=False, single_frame=False)\n--\n\n"
    "Decompresses a stream that comes in chunks: all frames or members, one after another.\n\n"
    "As a context manager it gives the stream up when the block is left without finish().\n\n"
    "Args:\n"
    "    algorithm: One of `haagenti.algorithms` that has streams.\n"
    "    max_size: Most bytes that the whole stream may decompress to.\n"
    "    dictionary: The dictionary that was used to compress.\n"
    "    allow_trailing: Whether finish() accepts bytes after the last frame; they are in unused_data.\n"
    "    single_frame: Whether everything after the first frame is unused_data. A skippable frame counts; the legacy frames of lz4,\n"
    "        which have no end, are not for this.\n\n"
    "Raises:\n    InvalidArgumentError: An unknown algorithm, or one without streams.\n\n"
    "Example:\n"
    "    >>> import haagenti\n"
    "    >>> decoder = haagenti.streaming.Decoder(\"zstd\", max_size=1000)\n"
    "    >>> decoder.write(haagenti.compress(b\"weights\"), max_length=4), decoder.needs_input\n"
    "    (b'weig', False)\n"
    "    >>> decoder.write(b\"\"), decoder.eof, decoder.finish()\n"
    "    (b'hts', True, b'')\n";
inline constexpr const char* kDecoderWrite =
    "write($self, chunk, max_length=None)\n--\n\n"
    "Takes a chunk; returns what it decompresses to, at most max_length bytes (None and -1: all). What had to wait comes with the next call,\n"
    "for which b\"\" will do while needs_input is false.\n\n"
    "Raises:\n" HGT_DECOMPRESS_ERRORS;
inline constexpr const char* kDecoderFinish =
    "finish($self)\n--\n\n"
    "Returns what is left and checks that the stream has ended.\n\n"
    "Raises:\n"
    "    TruncatedError: The stream has not ended.\n"
    "    CorruptError: Bytes followed it, unless allow_trailing or single_frame.\n";

#undef HGT_COMPRESS_OPTIONS
#undef HGT_DATA
#undef HGT_DECOMPRESS_ERRORS

}  // namespace haagenti::bindings::docs
