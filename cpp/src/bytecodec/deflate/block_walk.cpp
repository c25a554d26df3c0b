#include "bytecodec/deflate/block_walk.h"

#include <algorithm>

#include "bytecodec/deflate/skip_tables.h"

namespace haagenti::deflate {
namespace {

// Where a walk is. `bits` holds the next `count` bits, lowest first; what it holds above them is what the next refill brings again.
struct Cursor {
  const std::uint8_t* next;
  std::uint64_t bits;
  unsigned count;
  std::uint32_t table;  // kLiteralTable or kDistanceTable

  void refill() {  // to 56 bits at least
    bits |= load_le<std::uint64_t>(next) << count;
    next += (63 - count) >> 3;
    count |= 56;
  }
  void skip(unsigned n) {
    bits >>= n;
    count -= n;
  }
  std::uint32_t take(unsigned n) {
    const auto value = static_cast<std::uint32_t>(bits & ((std::uint64_t{1} << n) - 1));
    skip(n);
    return value;
  }
};

// Three look-ups; the later ones find kLeave again when an earlier one did. One of three is of a literal or length, so that they skip
// 16 + 2 * kMostDistanceBits bits at most, what a refill brings.
inline std::uint32_t look_up_thrice(Cursor& at, const SkipEntry* entries) {
  at.refill();
  std::uint32_t entry = 0;
  for (int i = 0; i < 3; ++i) {
    entry = entries[at.table + (at.bits & kIndexMask)];
    at.bits >>= entry & kSkipMask;
    at.count -= entry & kSkipMask;
    at.table = entry & kDistanceTable;
  }
  return entry;
}

// One stream on its way.
class Walk {
 public:
  explicit Walk(ByteView stream) : stream_(stream), at_{stream.data(), 0, 0, kLiteralTable} { begin_block(); }

  // All of them to their ends.
  template <std::size_t kN>
  static void run_all(const std::array<Walk*, kN>& walks);

  bool running() const { return state_ == State::kCoded; }
  std::optional<LastBlock> result() const { return state_ == State::kEnded ? std::optional(last_) : std::nullopt; }

 private:
  // Until one of them ends.
  template <std::size_t kN>
  static void run(const std::array<Walk*, kN>& walks);
  enum class State { kCoded, kEnded, kFailed };

  std::uint64_t position() const { return static_cast<std::uint64_t>(at_.next - stream_.data()) * 8 - at_.count; }
  // Behind what a stream that is whole lets the cursor load. A cursor is checked once it has passed by: it has gone two loads, of eight
  // bytes each, farther by then, which kWalkPadding has room for.
  const std::uint8_t* limit() const { return stream_.data() + stream_.size() + 8; }
  void fail() { state_ = State::kFailed; }

  void step_rare();
  int take_symbol(const CanonicalCode& code);
  void begin_block();
  bool skip_stored();
  bool read_fixed();
  bool read_dynamic();
  bool read_lengths(const CanonicalCode& code, std::span<std::uint8_t> lengths);
  void end_block();

  ByteView stream_;
  Cursor at_;
  State state_ = State::kCoded;
  bool final_ = false;
  LastBlock last_;
  SkipTables tables_;
};

template <std::size_t kN>
void Walk::run(const std::array<Walk*, kN>& walks) {
  const SkipEntry* entries[kN];
  const std::uint8_t* limits[kN];
  for (std::size_t i = 0; i < kN; ++i) {
    entries[i] = walks[i]->tables_.entries.data();
    limits[i] = walks[i]->limit();
  }
  while (std::all_of(walks.begin(), walks.end(), [](const Walk* walk) { return walk->running(); })) {
    Cursor at[kN];
    std::uint32_t rare[kN];
    for (std::size_t i = 0; i < kN; ++i) at[i] = walks[i]->at_;
    std::uint32_t any;
    do {
      any = 0;
#pragma GCC unroll 8
      for (std::size_t i = 0; i < kN; ++i) {
        rare[i] = (look_up_thrice(at[i], entries[i]) & kLeave) | static_cast<std::uint32_t>(at[i].next > limits[i]);
        any |= rare[i];
      }
    } while (any == 0);
    for (std::size_t i = 0; i < kN; ++i) {
      walks[i]->at_ = at[i];
      if (rare[i] != 0) walks[i]->step_rare();
    }
  }
}

template <std::size_t kN>
void Walk::run_all(const std::array<Walk*, kN>& walks) {
  run(walks);
  if constexpr (kN > 1) {
    std::size_t ended = 0;
    while (ended + 1 < kN && walks[ended]->running()) ++ended;
    std::array<Walk*, kN - 1> rest;
    for (std::size_t i = 0; i + 1 < kN; ++i) rest[i] = walks[i < ended ? i : i + 1];
    run_all(rest);
  }
}

// One symbol of any kind, read bit by bit.
void Walk::step_rare() {
  if (at_.next > limit()) return fail();
  at_.refill();
  const bool distance = at_.table == kDistanceTable;
  const int symbol = take_symbol(distance ? tables_.distances : tables_.literals);
  if (symbol < 0) return fail();
  if (!distance && symbol == static_cast<int>(kEndOfBlock)) return end_block();
  const auto value = static_cast<std::uint32_t>(symbol);
  const int extra = distance ? extra_bits_of_distance(value) : extra_bits_of_literal(value);
  if (extra < 0) return fail();
  at_.skip(static_cast<unsigned>(extra));
  at_.table = !distance && value > kEndOfBlock ? kDistanceTable : kLiteralTable;
}

// -1 when no code begins with the bits at hand.
int Walk::take_symbol(const CanonicalCode& code) {
  std::uint32_t value = 0;  // the bits so far, as a number
  std::uint32_t first = 0;  // the first code of this length
  std::uint32_t index = 0;  // of that code's symbol
  for (unsigned length = 1; length <= kMaxCodeLength; ++length) {
    value = value << 1 | at_.take(1);
    const std::uint32_t count = code.count[length];
    if (value < first + count) return code.symbols[index + value - first];
    index += count;
    first = (first + count) << 1;
  }
  return -1;
}

void Walk::end_block() {
  last_.end_bit = position();
  if (!final_) return begin_block();
  const bool whole = (last_.end_bit + 7) / 8 == stream_.size();
  state_ = whole ? State::kEnded : State::kFailed;
}

// Reads headers up to the first block that is not stored, or the end.
void Walk::begin_block() {
  for (;;) {
    if (position() + 3 > stream_.size() * 8) return fail();
    at_.refill();
    last_.begin_bit = position();
    final_ = at_.take(1) != 0;
    const std::uint32_t type = at_.take(2);
    at_.table = kLiteralTable;
    if (type == 3) return fail();
    if (type != 0) {
      if (!(type == 1 ? read_fixed() : read_dynamic())) fail();
      return;
    }
    if (!skip_stored()) return fail();
    if (final_) return end_block();
  }
}

bool Walk::skip_stored() {
  const std::uint64_t begin = (position() + 7) / 8;
  if (begin + 4 > stream_.size()) return false;
  const auto n = load_le<std::uint16_t>(stream_.data() + begin);
  const auto inverse = load_le<std::uint16_t>(stream_.data() + begin + 2);
  if ((n ^ inverse) != 0xffff || begin + 4 + n > stream_.size()) return false;
  at_ = {stream_.data() + begin + 4 + n, 0, 0, kLiteralTable};
  return true;
}

// RFC 1951, 3.2.6.
bool Walk::read_fixed() {
  std::array<std::uint8_t, 288> literals;
  std::array<std::uint8_t, 32> distances;
  std::fill_n(literals.begin(), 144, std::uint8_t{8});
  std::fill_n(literals.begin() + 144, 112, std::uint8_t{9});
  std::fill_n(literals.begin() + 256, 24, std::uint8_t{7});
  std::fill_n(literals.begin() + 280, 8, std::uint8_t{8});
  distances.fill(5);
  return make_skip_tables(literals, distances, tables_);
}

// RFC 1951, 3.2.7.
bool Walk::read_dynamic() {
  static constexpr std::uint8_t kOrder[19] = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};
  if (at_.next > limit()) return false;
  at_.refill();
  const std::uint32_t n_literals = at_.take(5) + 257;
  const std::uint32_t n_distances = at_.take(5) + 1;
  const std::uint32_t n_lengths = at_.take(4) + 4;
  std::array<std::uint8_t, 19> code_lengths{};
  for (std::uint32_t i = 0; i < n_lengths; ++i) {
    if (at_.next > limit()) return false;
    at_.refill();
    code_lengths[kOrder[i]] = static_cast<std::uint8_t>(at_.take(3));
  }
  CanonicalCode code;
  std::array<std::uint8_t, 288 + 32> lengths;
  if (!make_code(code_lengths, code) || !read_lengths(code, std::span(lengths).first(n_literals + n_distances))) return false;
  return make_skip_tables(std::span(lengths).first(n_literals), std::span(lengths).subspan(n_literals, n_distances), tables_);
}

// Code lengths, packed with a code of their own: 16 repeats the last one, 17 and 18 stand for zeros.
bool Walk::read_lengths(const CanonicalCode& code, std::span<std::uint8_t> lengths) {
  std::size_t n = 0;
  while (n < lengths.size()) {
    if (at_.next > limit()) return false;
    at_.refill();
    const int symbol = take_symbol(code);
    if (symbol < 0 || (symbol == 16 && n == 0)) return false;
    std::uint32_t repeat = 1;
    if (symbol == 16) repeat = 3 + at_.take(2);
    if (symbol == 17) repeat = 3 + at_.take(3);
    if (symbol == 18) repeat = 11 + at_.take(7);
    if (repeat > lengths.size() - n) return false;
    const std::uint8_t length = symbol == 16 ? lengths[n - 1] : symbol > 16 ? std::uint8_t{0} : static_cast<std::uint8_t>(symbol);
    std::fill_n(lengths.begin() + static_cast<std::ptrdiff_t>(n), repeat, length);
    n += repeat;
  }
  return true;
}

}  // namespace

std::optional<LastBlock> find_last_block(ByteView stream) {
  Walk walk(stream);
  Walk::run_all(std::array{&walk});
  return walk.result();
}

std::array<std::optional<LastBlock>, kWalksAtOnce> find_last_blocks(const std::array<ByteView, kWalksAtOnce>& streams) {
  std::array<Walk, kWalksAtOnce> walks{Walk(streams[0]), Walk(streams[1]), Walk(streams[2]), Walk(streams[3])};
  Walk::run_all(std::array{&walks[0], &walks[1], &walks[2], &walks[3]});
  return {walks[0].result(), walks[1].result(), walks[2].result(), walks[3].result()};
}

}  // namespace haagenti::deflate
