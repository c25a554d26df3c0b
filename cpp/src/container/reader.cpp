// Opens `.hct` files: header, footer, index, each checked before the next is believed.
#include <algorithm>
#include <cstring>
#include <unordered_set>

#include "container/hct_layout.h"
#include "haagenti/base/checked.h"
#include "haagenti/base/error.h"
#include "haagenti/base/xxh3.h"
#include "haagenti/container/hct.h"

namespace haagenti {
namespace {

bool all_zero(ByteView bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

// Shortest forms, no surrogates, nothing above U+10FFFF (Unicode 15, table 3-7).
bool is_utf8(ByteView bytes) {
  std::size_t i = 0;
  while (i < bytes.size()) {
    const std::uint8_t lead = bytes[i];
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const std::size_t n = lead >= 0xc2 && lead <= 0xdf ? 1 : lead >= 0xe0 && lead <= 0xef ? 2 : lead >= 0xf0 && lead <= 0xf4 ? 3 : 0;
    if (n == 0 || n > bytes.size() - i - 1) return false;
    const std::uint8_t low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
    const std::uint8_t high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
    if (bytes[i + 1] < low || bytes[i + 1] > high) return false;
    for (std::size_t k = 2; k <= n; ++k) {
      if (bytes[i + k] < 0x80 || bytes[i + k] > 0xbf) return false;
    }
    i += n + 1;
  }
  return true;
}

// Walks the index without ever passing its end.
class IndexCursor {
 public:
  IndexCursor(ByteView bytes, const std::string& label) : bytes_(bytes), label_(label) {}

  template <class T>
  T take(std::string_view what) {
    return load_le<T>(take_bytes(sizeof(T), what).data());
  }

  ByteView take_bytes(std::uint64_t n, std::string_view what) {
    if (n > bytes_.size() - at_) fail(ErrorKind::kCorrupt, label_, ": the index ends inside ", what, " at byte ", at_);
    at_ += n;
    return bytes_.subspan(at_ - n, n);
  }

  std::string take_text(std::uint64_t n, std::string_view what) {
    const ByteView text = take_bytes(n, what);
    if (!is_utf8(text)) fail(ErrorKind::kCorrupt, label_, ": ", what, " at byte ", at_ - n, " of the index is not UTF-8");
    return {reinterpret_cast<const char*>(text.data()), text.size()};
  }

  void pad(std::uint64_t multiple) {
    if (!all_zero(take_bytes(round_up(at_, multiple) - at_, "padding"))) fail(ErrorKind::kCorrupt, label_, ": padding of the index is not zero");
  }

  std::uint64_t left() const { return bytes_.size() - at_; }

 private:
  ByteView bytes_;
  const std::string& label_;
  std::uint64_t at_ = 0;
};

}  // namespace

HctReader::HctReader(ByteView bytes, std::string label) : bytes_(bytes), label_(std::move(label)) {
  read_header();
  read_index(read_footer());
  check_overlaps();
}

void HctReader::read_header() {
  if (bytes_.size() < sizeof hct::kMagic) fail(ErrorKind::kTruncated, label_, ": ", bytes_.size(), " bytes, a .hct file has at least 128");
  if (std::memcmp(bytes_.data(), hct::kMagic, sizeof hct::kMagic) != 0) fail(ErrorKind::kCorrupt, label_, ": not a .hct file, it does not begin with HCTN");
  if (bytes_.size() < hct::kHeaderSize + hct::kFooterSize) {
    fail(ErrorKind::kTruncated, label_, ": ", bytes_.size(), " bytes, a .hct file has at least ", hct::kHeaderSize + hct::kFooterSize);
  }
  const auto version = load_le<std::uint32_t>(bytes_.data() + 4);
  if (version != hct::kVersion) fail(ErrorKind::kUnsupported, label_, ": .hct version ", version, ", this build reads ", hct::kVersion);
  const ByteView header = bytes_.first(hct::kHeaderSize);
  if (load_le<std::uint64_t>(header.data() + hct::kHeaderChecksumAt) != xxh3_64(header.first(hct::kHeaderChecksumAt))) {
    fail(ErrorKind::kCorrupt, label_, ": checksum mismatch in the file header");
  }
  if (!all_zero(header.subspan(8, hct::kHeaderChecksumAt - 8))) fail(ErrorKind::kCorrupt, label_, ": reserved bytes of the file header are not zero");
}

ByteView HctReader::read_footer() {
  const ByteView footer = bytes_.last(hct::kFooterSize);
  if (std::memcmp(footer.data() + hct::kFooterMagicAt, hct::kEndMagic, sizeof hct::kEndMagic) != 0) {
    fail(ErrorKind::kTruncated, label_, ": the file has no footer: it was cut, or never finished");
  }
  const auto low_half = static_cast<std::uint32_t>(xxh3_64(footer.first(hct::kFooterChecksumAt)));
  if (load_le<std::uint32_t>(footer.data() + hct::kFooterChecksumAt) != low_half) fail(ErrorKind::kCorrupt, label_, ": checksum mismatch in the footer");
  const auto version = load_le<std::uint32_t>(footer.data() + hct::kFooterVersionAt);
  if (version != hct::kVersion) fail(ErrorKind::kUnsupported, label_, ": footer version ", version, ", this build reads ", hct::kVersion);
  const auto index_offset = load_le<std::uint64_t>(footer.data());
  const auto index_size = load_le<std::uint64_t>(footer.data() + 8);
  const auto file_size = load_le<std::uint64_t>(footer.data() + 24);
  if (file_size != bytes_.size()) fail(ErrorKind::kTruncated, label_, ": the footer states ", file_size, " bytes, the file has ", bytes_.size());
  const std::uint64_t body = bytes_.size() - hct::kFooterSize;
  if (index_offset < hct::kHeaderSize || index_offset > body || index_size != body - index_offset || index_offset % hct::kAlignment != 0) {
    fail(ErrorKind::kCorrupt, label_, ": the footer places the index at ", index_offset, " with ", index_size, " bytes, expected it to end at ", body);
  }
  if (!all_zero(footer.subspan(hct::kFooterReservedAt, hct::kFooterVersionAt - hct::kFooterReservedAt))) {
    fail(ErrorKind::kCorrupt, label_, ": reserved bytes of the footer are not zero");
  }
  const ByteView index = bytes_.subspan(index_offset, index_size);
  if (load_le<std::uint64_t>(footer.data() + 16) != xxh3_64(index)) fail(ErrorKind::kCorrupt, label_, ": checksum mismatch in the index");
  return index;
}

void HctReader::read_index(ByteView index) {
  IndexCursor cursor(index, label_);
  const auto n_tensors = cursor.take<std::uint64_t>("the count of tensors");
  const auto n_metadata = cursor.take<std::uint64_t>("the count of metadata");
  if (n_tensors > cursor.left() / hct::kTensorEntry || n_metadata > cursor.left() / hct::kMetadataEntry) {
    fail(ErrorKind::kCorrupt, label_, ": an index of ", index.size(), " bytes cannot hold ", n_tensors, " tensors and ", n_metadata, " metadata entries");
  }
  const auto records_end = static_cast<std::uint64_t>(index.data() - bytes_.data());
  for (std::uint64_t i = 0; i < n_tensors; ++i) {
    HctEntry entry;
    entry.offset = cursor.take<std::uint64_t>("record_offset");
    entry.size = cursor.take<std::uint64_t>("record_size");
    entry.header_checksum = cursor.take<std::uint64_t>("header_checksum");
    const auto name_size = cursor.take<std::uint32_t>("name_size");
    const auto reserved = cursor.take<std::uint32_t>("reserved");
    if (name_size == 0 || name_size > hct::kMaxName || reserved != 0) fail(ErrorKind::kCorrupt, label_, ": tensor entry ", i, " has name_size ", name_size, ", reserved ", reserved);
    entry.name = cursor.take_text(name_size, "a name");
    cursor.pad(8);
    if (entry.offset % hct::kAlignment != 0 || entry.size % hct::kAlignment != 0 || entry.size == 0 || entry.offset < hct::kHeaderSize ||
        entry.offset > records_end || entry.size > records_end - entry.offset) {
      fail(ErrorKind::kCorrupt, label_, ": tensor '", entry.name, "': a record of ", entry.size, " bytes at ", entry.offset, " is not inside ", hct::kHeaderSize,
           "..", records_end, " in multiples of 64");
    }
    if (!by_name_.emplace(entry.name, entries_.size()).second) fail(ErrorKind::kCorrupt, label_, ": tensor '", entry.name, "' appears twice in the index");
    entries_.push_back(std::move(entry));
  }
  std::unordered_set<std::string> keys;
  for (std::uint64_t i = 0; i < n_metadata; ++i) {
    const auto key_size = cursor.take<std::uint32_t>("key_size");
    const auto value_size = cursor.take<std::uint32_t>("value_size");
    std::string key = cursor.take_text(key_size, "a metadata key");
    std::string value = cursor.take_text(value_size, "a metadata value");
    cursor.pad(8);
    if (!keys.insert(key).second) fail(ErrorKind::kCorrupt, label_, ": metadata key '", key, "' appears twice");
    metadata_.emplace_back(std::move(key), std::move(value));
  }
  cursor.pad(hct::kAlignment);
  if (cursor.left() != 0) fail(ErrorKind::kCorrupt, label_, ": ", cursor.left(), " bytes after the last entry of the index");
}

void HctReader::check_overlaps() const {
  std::vector<const HctEntry*> sorted;
  for (const HctEntry& entry : entries_) sorted.push_back(&entry);
  std::sort(sorted.begin(), sorted.end(), [](const HctEntry* a, const HctEntry* b) { return std::pair(a->offset, a->size) < std::pair(b->offset, b->size); });
  for (std::size_t i = 1; i < sorted.size(); ++i) {
    const HctEntry& before = *sorted[i - 1];
    const HctEntry& after = *sorted[i];
    const bool same = before.offset == after.offset && before.size == after.size;
    if (!same && before.offset + before.size > after.offset) {
      fail(ErrorKind::kCorrupt, label_, ": the records of '", before.name, "' and '", after.name, "' overlap");
    }
  }
}

const HctEntry& HctReader::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) fail(ErrorKind::kInvalidArgument, label_, ": no tensor '", name, "' among its ", entries_.size());
  return entries_[found->second];
}

ByteView HctReader::record(const HctEntry& entry) const {
  const ByteView bytes = bytes_.subspan(entry.offset, entry.size);
  if (entry.size < 128 || load_le<std::uint64_t>(bytes.data() + 120) != entry.header_checksum) {
    fail(ErrorKind::kCorrupt, label_, ": the record at ", entry.offset, " is not the one that the index names '", entry.name, "'");
  }
  return bytes;
}

}  // namespace haagenti
