// The bare calls of the C libraries, each with a context that is made once, and a loop around them that is timed here: what a call from
// Python is compared with. Not responsible for choosing levels, nor for checking results: Python does.
#define LZ4F_STATIC_LINKING_ONLY
#include <brotli/decode.h>
#include <brotli/encode.h>
#include <libdeflate.h>
#include <lz4.h>
#include <lz4frame.h>
#include <lz4hc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>
#include <zstd.h>
#ifdef HAVE_ISAL
#include <isa-l/igzip_lib.h>
#endif

typedef struct {
  int level;
  void *compressor;
  void *decompressor;
  LZ4F_preferences_t lz4f;
} State;

// Both return the bytes written to dst, 0 when the library refuses.
typedef size_t (*Call)(State *state, const void *src, size_t n_src, void *dst, size_t n_dst);

// --- zstd ------------------------------------------------------------------------------------------------------------------------------

static void zstd_open(State *s) {
  s->compressor = ZSTD_createCCtx();
  s->decompressor = ZSTD_createDCtx();
  ZSTD_CCtx_setParameter(s->compressor, ZSTD_c_compressionLevel, s->level);
}

static size_t zstd_compress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  const size_t n = ZSTD_compress2(s->compressor, dst, n_dst, src, n_src);
  return ZSTD_isError(n) ? 0 : n;
}

static size_t zstd_decompress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  const size_t n = ZSTD_decompressDCtx(s->decompressor, dst, n_dst, src, n_src);
  return ZSTD_isError(n) ? 0 : n;
}

// --- LZ4 -------------------------------------------------------------------------------------------------------------------------------

static void lz4_open(State *s) {
  LZ4F_createCompressionContext((LZ4F_cctx **)&s->compressor, LZ4F_VERSION);
  LZ4F_createDecompressionContext((LZ4F_dctx **)&s->decompressor, LZ4F_VERSION);
  s->lz4f.compressionLevel = s->level;
  s->lz4f.frameInfo.blockMode = LZ4F_blockIndependent;
  s->lz4f.frameInfo.blockSizeID = LZ4F_max4MB;  // smaller inputs get smaller blocks
}

static size_t lz4_compress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  s->lz4f.frameInfo.contentSize = n_src;
  const size_t n = LZ4F_compressFrame_usingCDict(s->compressor, dst, n_dst, src, n_src, NULL, &s->lz4f);
  return LZ4F_isError(n) ? 0 : n;
}

static size_t lz4_decompress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  const LZ4F_decompressOptions_t options = {.stableDst = 1};
  size_t n_read = n_src, n_written = n_dst;
  const size_t hint = LZ4F_decompress(s->decompressor, dst, &n_written, src, &n_read, &options);
  return hint == 0 && n_read == n_src ? n_written : 0;
}

static void lz4_block_open(State *s) { s->compressor = calloc(1, (size_t)LZ4_sizeofState()); }

static size_t lz4_block_compress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  const int acceleration = s->level < 0 ? 1 - s->level : 1;  // as LZ4F numbers its levels
  return (size_t)LZ4_compress_fast_extState(s->compressor, src, dst, (int)n_src, (int)n_dst, acceleration);
}

static size_t lz4_block_decompress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  (void)s;
  const int n = LZ4_decompress_safe(src, dst, (int)n_src, (int)n_dst);
  return n < 0 ? 0 : (size_t)n;
}

// --- Brotli ----------------------------------------------------------------------------------------------------------------------------

static size_t brotli_compress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  return BrotliEncoderCompress(s->level, BROTLI_DEFAULT_WINDOW, BROTLI_MODE_GENERIC, n_src, src, &n_dst, dst) ? n_dst : 0;
}

static size_t brotli_decompress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  (void)s;
  return BrotliDecoderDecompress(n_src, src, &n_dst, dst) == BROTLI_DECODER_RESULT_SUCCESS ? n_dst : 0;
}

// --- Deflate, zlib and gzip with libdeflate --------------------------------------------------------------------------------------------

static void deflate_open(State *s) {
  s->compressor = libdeflate_alloc_compressor(s->level);
  s->decompressor = libdeflate_alloc_decompressor();
}

#define LIBDEFLATE_CALLS(format)                                                                                          \
  static size_t format##_compress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {                     \
    return libdeflate_##format##_compress(s->compressor, src, n_src, dst, n_dst);                                         \
  }                                                                                                                       \
  static size_t format##_decompress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {                   \
    size_t n = 0;                                                                                                         \
    return libdeflate_##format##_decompress(s->decompressor, src, n_src, dst, n_dst, &n) == LIBDEFLATE_SUCCESS ? n : 0;   \
  }
LIBDEFLATE_CALLS(deflate)
LIBDEFLATE_CALLS(zlib)
LIBDEFLATE_CALLS(gzip)

// --- zlib of the system, and ISA-L: one call over a whole gzip member ------------------------------------------------------------------

enum { kGzipWindow = 15 + 16, kMemoryLevel = 8 };

static void system_zlib_open(State *s) {
  s->compressor = calloc(1, sizeof(z_stream));
  s->decompressor = calloc(1, sizeof(z_stream));
  deflateInit2(s->compressor, s->level, Z_DEFLATED, kGzipWindow, kMemoryLevel, Z_DEFAULT_STRATEGY);
  inflateInit2(s->decompressor, kGzipWindow);
}

static size_t run_zlib(z_stream *z, int (*step)(z_stream *, int), const void *src, size_t n_src, void *dst, size_t n_dst) {
  z->next_in = (Bytef *)(uintptr_t)src;
  z->avail_in = (uInt)n_src;
  z->next_out = dst;
  z->avail_out = (uInt)n_dst;
  return step(z, Z_FINISH) == Z_STREAM_END ? n_dst - z->avail_out : 0;
}

static size_t system_zlib_compress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  deflateReset(s->compressor);
  return run_zlib(s->compressor, deflate, src, n_src, dst, n_dst);
}

static size_t system_zlib_decompress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  inflateReset(s->decompressor);
  return run_zlib(s->decompressor, inflate, src, n_src, dst, n_dst);
}

#ifdef HAVE_ISAL
static void isal_open(State *s) {
  s->compressor = malloc(sizeof(struct isal_zstream));
  s->decompressor = malloc(sizeof(struct inflate_state));
}

static size_t isal_compress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  static uint8_t level_buffer[ISAL_DEF_LVL1_DEFAULT];
  struct isal_zstream *z = s->compressor;
  isal_deflate_stateless_init(z);
  z->gzip_flag = IGZIP_GZIP;
  z->level = 1;
  z->level_buf = level_buffer;
  z->level_buf_size = sizeof level_buffer;
  z->end_of_stream = 1;
  z->next_in = (uint8_t *)(uintptr_t)src;
  z->avail_in = (uint32_t)n_src;
  z->next_out = dst;
  z->avail_out = (uint32_t)n_dst;
  return isal_deflate_stateless(z) == COMP_OK ? z->total_out : 0;
}

static size_t isal_decompress(State *s, const void *src, size_t n_src, void *dst, size_t n_dst) {
  struct inflate_state *z = s->decompressor;
  isal_inflate_init(z);
  z->crc_flag = ISAL_GZIP;
  z->next_in = (uint8_t *)(uintptr_t)src;
  z->avail_in = (uint32_t)n_src;
  z->next_out = dst;
  z->avail_out = (uint32_t)n_dst;
  return isal_inflate(z) == ISAL_DECOMP_OK && z->block_state == ISAL_BLOCK_FINISH ? z->total_out : 0;
}
#endif

// --- The table, and what Python calls --------------------------------------------------------------------------------------------------

static void no_context(State *s) { (void)s; }

static const struct Row {
  const char *name;
  void (*open)(State *);
  Call compress, decompress;
} kTable[] = {
    {"zstd", zstd_open, zstd_compress, zstd_decompress},
    {"lz4", lz4_open, lz4_compress, lz4_decompress},
    {"lz4hc", lz4_open, lz4_compress, lz4_decompress},
    {"lz4_block", lz4_block_open, lz4_block_compress, lz4_block_decompress},
    {"brotli", no_context, brotli_compress, brotli_decompress},
    {"deflate", deflate_open, deflate_compress, deflate_decompress},
    {"zlib", deflate_open, zlib_compress, zlib_decompress},
    {"gzip", deflate_open, gzip_compress, gzip_decompress},
    {"gzip by zlib", system_zlib_open, system_zlib_compress, system_zlib_decompress},
#ifdef HAVE_ISAL
    {"gzip by ISA-L", isal_open, isal_compress, isal_decompress},
#endif
};

typedef struct {
  State state;
  const struct Row *row;
} Codec;

// Null for a name that is not in the table. Codecs are few and live as long as the process.
Codec *codec_open(const char *name, int level) {
  for (size_t i = 0; i < sizeof kTable / sizeof *kTable; ++i) {
    if (strcmp(kTable[i].name, name) != 0) continue;
    Codec *codec = calloc(1, sizeof *codec);
    codec->state.level = level;
    codec->row = &kTable[i];
    codec->row->open(&codec->state);
    return codec;
  }
  return NULL;
}

// Runs a call `loops` times. Returns the bytes that the last one wrote, 0 after a failure; *seconds is the time of all.
size_t codec_run(Codec *codec, int decompress, const void *src, size_t n_src, void *dst, size_t n_dst, size_t loops, double *seconds) {
  const Call call = decompress ? codec->row->decompress : codec->row->compress;
  struct timespec start, end;
  size_t n = 0;
  clock_gettime(CLOCK_MONOTONIC, &start);
  for (size_t i = 0; i < loops; ++i) n = call(&codec->state, src, n_src, dst, n_dst);
  clock_gettime(CLOCK_MONOTONIC, &end);
  *seconds = (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec);
  return n;
}

const char *codec_versions(void) {
  static char text[256];
  const uint32_t brotli = BrotliDecoderVersion();
  snprintf(text, sizeof text, "zstd %s, lz4 %s, brotli %u.%u.%u, libdeflate %s, zlib %s", ZSTD_versionString(), LZ4_versionString(), brotli >> 24,
           (brotli >> 12) & 0xFFF, brotli & 0xFFF, LIBDEFLATE_VERSION_STRING, zlibVersion());
  return text;
}
