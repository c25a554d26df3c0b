#include "bytecodec/deflate/skip_tables.h"

#include <algorithm>

namespace haagenti::deflate {
namespace {

constexpr std::uint32_t kTableSize = 1u << kIndexBits;

// Entries of single symbols, for joining: above a SkipEntry, bit 16 says that it is of a literal, bits 20-23 give the length of its code.
constexpr std::uint32_t kLiteral = 1u << 16;
constexpr unsigned kCodeLengthShift = 20;

std::uint32_t make_entry(unsigned code_length, int extra, std::uint32_t next_table) {
  return (code_length + static_cast<unsigned>(extra)) | next_table | code_length << kCodeLengthShift;
}

std::uint32_t literal_entry(std::uint32_t symbol, unsigned length) {
  if (symbol < kEndOfBlock) return make_entry(length, 0, kLiteralTable) | kLiteral;
  const int extra = extra_bits_of_literal(symbol);
  if (symbol == kEndOfBlock || extra < 0) return kLeave | kLiteralTable;
  return make_entry(length, extra, kDistanceTable);
}

std::uint32_t distance_entry(std::uint32_t symbol, unsigned length) {
  const int extra = extra_bits_of_distance(symbol);
  const bool fits = extra >= 0 && length + static_cast<unsigned>(extra) <= kMostDistanceBits;
  return fits ? make_entry(length, extra, kLiteralTable) : kLeave | kDistanceTable;
}

// The next code of `length` bits behind `code`, both with their first bit lowest, as Deflate packs them.
std::uint32_t next_reversed(std::uint32_t code, unsigned length) {
  std::uint32_t bit = 1u << (length - 1);
  while (code & bit) bit >>= 1;
  return bit == 0 ? 0 : (code & (bit - 1)) | bit;
}

// The table grows with the code length: when it doubles, what it holds is copied behind itself.
template <class Entry, class MakeEntry>
void fill_table(const CanonicalCode& code, std::uint32_t leave, Entry* table, MakeEntry&& entry_of) {
  std::uint32_t size = 1;
  std::uint32_t reversed = 0;
  const std::uint16_t* symbol = code.symbols.data();
  table[0] = static_cast<Entry>(leave);
  for (unsigned length = 1; length <= kIndexBits; ++length) {
    std::copy_n(table, size, table + size);
    size *= 2;
    for (unsigned n = code.count[length]; n > 0; --n) {
      table[reversed] = static_cast<Entry>(entry_of(*symbol++, length));
      reversed = next_reversed(reversed, length);
    }
  }
}

// Lets an entry of a literal skip a literal or length behind it too, where both codes fit into an index.
void join_pairs(const std::uint32_t* single, SkipEntry* pairs) {
  for (std::uint32_t index = 0; index < kTableSize; ++index) {
    const std::uint32_t first = single[index];
    const std::uint32_t second = single[index >> (first & 15)];
    const unsigned both = (first >> kCodeLengthShift) + (second >> kCodeLengthShift);
    const bool joined = (first & kLiteral) && !(second & kLeave) && both <= kIndexBits;
    pairs[index] = static_cast<SkipEntry>(joined ? second + (first & 15) : first);
  }
}

}  // namespace

int extra_bits_of_literal(std::uint32_t symbol) {
  if (symbol < 265 || symbol == 285) return 0;
  return symbol < 285 ? static_cast<int>((symbol - 261) / 4) : -1;
}

int extra_bits_of_distance(std::uint32_t symbol) {
  if (symbol < 4) return 0;
  return symbol < 30 ? static_cast<int>(symbol / 2 - 1) : -1;
}

bool make_code(std::span<const std::uint8_t> lengths, CanonicalCode& code) {
  code.count.fill(0);
  for (const std::uint8_t length : lengths) ++code.count[length];
  code.count[0] = 0;
  std::array<std::uint16_t, kMaxCodeLength + 2> begin{};
  int free_codes = 1;
  for (unsigned length = 1; length <= kMaxCodeLength; ++length) {
    free_codes = 2 * free_codes - code.count[length];
    if (free_codes < 0) return false;
    begin[length + 1] = static_cast<std::uint16_t>(begin[length] + code.count[length]);
  }
  for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
    if (lengths[symbol] != 0) code.symbols[begin[lengths[symbol]]++] = static_cast<std::uint16_t>(symbol);
  }
  return true;
}

bool make_skip_tables(std::span<const std::uint8_t> literal_lengths, std::span<const std::uint8_t> distance_lengths, SkipTables& tables) {
  if (!make_code(literal_lengths, tables.literals) || !make_code(distance_lengths, tables.distances)) return false;
  std::array<std::uint32_t, kTableSize> single;
  fill_table(tables.literals, kLeave | kLiteralTable, single.data(), literal_entry);
  join_pairs(single.data(), tables.entries.data() + kLiteralTable);
  fill_table(tables.distances, kLeave | kDistanceTable, tables.entries.data() + kDistanceTable, distance_entry);
  return true;
}

}  // namespace haagenti::deflate
