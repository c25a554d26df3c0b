// `.hct` version 4: many records in one file, found by name.
// Not responsible for what is inside a record, nor for older dialects. Format: cpp/src/container/spec.md.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "haagenti/base/bytes.h"
#include "haagenti/base/file.h"

namespace haagenti {

using Metadata = std::vector<std::pair<std::string, std::string>>;

struct HctEntry {
  std::string name;
  std::uint64_t offset;
  std::uint64_t size;
  std::uint64_t header_checksum;
};

class HctReader {
 public:
  // The file's bytes, kept alive by the caller; `label` (a path) begins the messages.
  HctReader(ByteView bytes, std::string label);

  const std::vector<HctEntry>& entries() const { return entries_; }
  const Metadata& metadata() const { return metadata_; }

  // Throws InvalidArgument for a name that is not there.
  const HctEntry& find(const std::string& name) const;
  // The bytes of the record, bound to the entry by its header checksum (checked here); the record itself is checked by who parses it.
  ByteView record(const HctEntry& entry) const;

 private:
  void read_header();
  ByteView read_footer();
  void read_index(ByteView index);
  void check_overlaps() const;

  ByteView bytes_;
  std::string label_;
  std::vector<HctEntry> entries_;
  std::unordered_map<std::string, std::size_t> by_name_;
  Metadata metadata_;
};

class HctWriter {
 public:
  HctWriter(std::string path, Metadata metadata, bool overwrite);

  // `record`: one whole record.
  void append(const std::string& name, ByteView record);
  // A second name for a record that is already there (a tied weight).
  void alias(const std::string& name, const std::string& existing);
  void finish();
  void abort() noexcept { file_.abort(); }

 private:
  void add(HctEntry entry);
  void write(ByteView bytes);

  AtomicFile file_;
  Metadata metadata_;
  std::vector<HctEntry> entries_;
  std::unordered_map<std::string, std::size_t> by_name_;
};

}  // namespace haagenti
