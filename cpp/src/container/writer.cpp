// Writes `.hct` files front to back: header, records as they come, index, footer.
#include <cstring>

#include "container/hct_layout.h"
#include "haagenti/base/checked.h"
#include "haagenti/base/error.h"
#include "haagenti/base/xxh3.h"
#include "haagenti/container/hct.h"
#include "haagenti/encoding/record.h"

namespace haagenti {
namespace {

std::vector<std::uint8_t> file_header() {
  std::vector<std::uint8_t> header(hct::kHeaderSize);
  std::memcpy(header.data(), hct::kMagic, sizeof hct::kMagic);
  store_le(header.data() + 4, hct::kVersion);
  store_le(header.data() + hct::kHeaderChecksumAt, xxh3_64(ByteView(header).first(hct::kHeaderChecksumAt)));
  return header;
}

class IndexBytes {
 public:
  template <class T>
  void put(T value) {
    bytes_.resize(bytes_.size() + sizeof value);
    store_le(bytes_.data() + bytes_.size() - sizeof value, value);
  }
  void put(const std::string& text) { bytes_.insert(bytes_.end(), text.begin(), text.end()); }
  void pad(std::size_t multiple) { bytes_.resize(round_up(bytes_.size(), multiple)); }
  const std::vector<std::uint8_t>& bytes() const { return bytes_; }

 private:
  std::vector<std::uint8_t> bytes_;
};

std::vector<std::uint8_t> make_index(const std::vector<HctEntry>& entries, const Metadata& metadata) {
  IndexBytes index;
  index.put(std::uint64_t{entries.size()});
  index.put(std::uint64_t{metadata.size()});
  for (const HctEntry& entry : entries) {
    index.put(entry.offset);
    index.put(entry.size);
    index.put(entry.header_checksum);
    index.put(static_cast<std::uint32_t>(entry.name.size()));
    index.put(std::uint32_t{0});
    index.put(entry.name);
    index.pad(8);
  }
  for (const auto& [key, value] : metadata) {
    index.put(static_cast<std::uint32_t>(key.size()));
    index.put(static_cast<std::uint32_t>(value.size()));
    index.put(key);
    index.put(value);
    index.pad(8);
  }
  index.pad(hct::kAlignment);
  return index.bytes();
}

std::vector<std::uint8_t> make_footer(std::uint64_t index_offset, ByteView index) {
  std::vector<std::uint8_t> footer(hct::kFooterSize);
  store_le(footer.data(), index_offset);
  store_le(footer.data() + 8, std::uint64_t{index.size()});
  store_le(footer.data() + 16, xxh3_64(index));
  store_le(footer.data() + 24, std::uint64_t{index_offset + index.size() + hct::kFooterSize});
  store_le(footer.data() + hct::kFooterVersionAt, hct::kVersion);
  std::memcpy(footer.data() + hct::kFooterMagicAt, hct::kEndMagic, sizeof hct::kEndMagic);
  store_le(footer.data() + hct::kFooterChecksumAt, static_cast<std::uint32_t>(xxh3_64(ByteView(footer).first(hct::kFooterChecksumAt))));
  return footer;
}

}  // namespace

HctWriter::HctWriter(std::string path, Metadata metadata, bool overwrite) : file_(std::move(path), overwrite), metadata_(std::move(metadata)) {
  for (const auto& [key, value] : metadata_) {
    if (key.size() > UINT32_MAX || value.size() > UINT32_MAX) fail(ErrorKind::kInvalidArgument, "metadata '", key.substr(0, 80), "' is larger than 4 GiB");
  }
  file_.append(file_header());
}

void HctWriter::add(HctEntry entry) {
  if (entry.name.empty() || entry.name.size() > hct::kMaxName) {
    fail(ErrorKind::kInvalidArgument, file_.path(), ": a tensor's name has ", entry.name.size(), " bytes, expected 1 to ", hct::kMaxName);
  }
  if (!by_name_.emplace(entry.name, entries_.size()).second) fail(ErrorKind::kInvalidArgument, file_.path(), ": tensor '", entry.name, "' is already there");
  entries_.push_back(std::move(entry));
}

void HctWriter::append(const std::string& name, ByteView record) {
  const RecordView view(record, name);
  if (!file_.is_open()) fail(ErrorKind::kInvalidArgument, file_.path(), ": already finished or aborted");
  add({name, file_.size(), record.size(), view.header().header_checksum});
  write(record);
}

// A file of which a part could not be written can never be finished.
void HctWriter::write(ByteView bytes) {
  try {
    file_.append(bytes);
  } catch (...) {
    file_.abort();
    throw;
  }
}

void HctWriter::alias(const std::string& name, const std::string& existing) {
  const auto found = by_name_.find(existing);
  if (found == by_name_.end()) fail(ErrorKind::kInvalidArgument, file_.path(), ": '", name, "' cannot stand for '", existing, "', which is not there");
  HctEntry entry = entries_[found->second];
  entry.name = name;
  add(std::move(entry));
}

void HctWriter::finish() {
  const std::uint64_t index_offset = file_.size();
  const std::vector<std::uint8_t> index = make_index(entries_, metadata_);
  write(index);
  write(make_footer(index_offset, index));
  file_.commit();
}

}  // namespace haagenti
