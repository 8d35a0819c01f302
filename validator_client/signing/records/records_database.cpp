#include "validator_client/signing/records/records_database.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "validator_client/signing/records/records_schema.h"

namespace lean::validator {
namespace {

int64_t ToColumn(uint64_t value) { return static_cast<int64_t>(value); }

template <typename B>
B FixedBytes(ByteSpan bytes) {
  B fixed;
  std::copy_n(bytes.begin(), std::min(bytes.size(), fixed.data.size()), fixed.data.begin());
  return fixed;
}

// The schema's checks hold roots to 32 bytes.
std::optional<Root> RootOf(const sqlite::Statement& row, int column) {
  if (row.IsNull(column)) return std::nullopt;
  return FixedBytes<Root>(row.Blob(column));
}

}  // namespace

absl::StatusOr<FileIdentity> FileIdentity::Of(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return absl::ErrnoToStatus(errno, path);
  return FileIdentity{info.st_dev, info.st_ino};
}

absl::StatusOr<std::unique_ptr<RecordsDatabase>> RecordsDatabase::Open(const std::string& path, bool create) {
  absl::StatusOr<std::unique_ptr<sqlite::Connection>> connection = OpenRecordsFile(path, create);
  if (!connection.ok()) return connection.status();
  std::unique_ptr<RecordsDatabase> database(new RecordsDatabase(*std::move(connection)));
  if (absl::Status status = database->PrepareStatements(); !status.ok()) return status;
  return database;
}

absl::Status RecordsDatabase::PrepareStatements() {
  const std::pair<sqlite::Statement*, const char*> statements[] = {
      {&find_key_, "SELECT id, highest_slot FROM keys WHERE pubkey = ?1"},
      {&add_key_, "INSERT INTO keys(pubkey, highest_slot) VALUES(?1, ?2)"},
      {&set_highest_slot_, "UPDATE keys SET highest_slot = ?2 WHERE id = ?1 AND highest_slot <= ?2"},
      {&find_leaf_, "SELECT root FROM leaves WHERE slot = ?2 AND key = ?1"},
      {&roots_from_, "SELECT root FROM leaves WHERE slot >= ?1 AND root IS NOT NULL ORDER BY slot LIMIT ?2"},
      {&put_leaf_,
       "INSERT INTO leaves(key, slot, root) VALUES(?1, ?2, ?3) "
       "ON CONFLICT(slot, key) DO UPDATE SET root = excluded.root"},
      {&prune_,
       "DELETE FROM leaves WHERE slot < ?1 AND slot + ?2 <= "
       "(SELECT highest_slot FROM keys WHERE keys.id = leaves.key)"},
      {&set_last_writer_,
       "INSERT INTO last_writer(id, machine, boot, device, inode, uptime_ms) "
       "VALUES(1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT(id) DO UPDATE SET machine = excluded.machine, "
       "boot = excluded.boot, device = excluded.device, inode = excluded.inode, "
       "uptime_ms = excluded.uptime_ms"},
  };
  for (const auto& [statement, sql] : statements) {
    absl::StatusOr<sqlite::Statement> prepared = connection_->Prepare(sql);
    if (!prepared.ok()) return prepared.status();
    *statement = *std::move(prepared);
  }
  return absl::OkStatus();
}

absl::StatusOr<std::optional<RecordsDatabase::Key>> RecordsDatabase::FindKey(const PublicKeyBytes& pubkey) {
  find_key_.BindBlob(1, pubkey.span());
  const absl::StatusOr<bool> row = find_key_.Step();
  if (!row.ok()) return row.status();
  std::optional<Key> key;
  if (*row) key = Key{find_key_.Int(0), static_cast<uint64_t>(find_key_.Int(1))};
  find_key_.Reset();
  return key;
}

absl::StatusOr<RecordsDatabase::Key> RecordsDatabase::AddKey(const PublicKeyBytes& pubkey, uint64_t highest_slot) {
  add_key_.BindBlob(1, pubkey.span());
  add_key_.Bind(2, ToColumn(highest_slot));
  if (absl::Status status = add_key_.Run(); !status.ok()) return status;
  return Key{connection_->last_insert_id(), highest_slot};
}

absl::Status RecordsDatabase::SetHighestSlot(int64_t key, uint64_t slot) {
  set_highest_slot_.Bind(1, key);
  set_highest_slot_.Bind(2, ToColumn(slot));
  return set_highest_slot_.Run();
}

absl::StatusOr<std::optional<RecordsDatabase::KeptLeaf>> RecordsDatabase::FindLeaf(int64_t key, uint64_t slot) {
  find_leaf_.Bind(1, key);
  find_leaf_.Bind(2, ToColumn(slot));
  const absl::StatusOr<bool> row = find_leaf_.Step();
  if (!row.ok()) return row.status();
  std::optional<KeptLeaf> leaf;
  if (*row) leaf = KeptLeaf{RootOf(find_leaf_, 0)};
  find_leaf_.Reset();
  return leaf;
}

absl::StatusOr<std::vector<Root>> RecordsDatabase::RootsFrom(uint64_t from_slot, size_t limit) {
  roots_from_.Bind(1, ToColumn(from_slot));
  roots_from_.Bind(2, static_cast<int64_t>(limit));
  std::vector<Root> roots;
  while (true) {
    const absl::StatusOr<bool> row = roots_from_.Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    roots.push_back(FixedBytes<Root>(roots_from_.Blob(0)));
  }
  roots_from_.Reset();
  return roots;
}

absl::Status RecordsDatabase::PutLeaf(int64_t key, const SignedLeaf& leaf) {
  put_leaf_.Bind(1, key);
  put_leaf_.Bind(2, ToColumn(leaf.slot));
  if (leaf.root.has_value()) {
    put_leaf_.BindBlob(3, leaf.root->span());
  } else {
    put_leaf_.BindNull(3);
  }
  return put_leaf_.Run();
}

absl::Status RecordsDatabase::Prune(uint64_t slot) {
  prune_.Bind(1, ToColumn(slot));
  prune_.Bind(2, ToColumn(kKeptSlots));
  return prune_.Run();
}

absl::StatusOr<std::optional<LastWriter>> RecordsDatabase::GetLastWriter() {
  absl::StatusOr<sqlite::Statement> select =
      connection_->Prepare("SELECT machine, boot, device, inode, uptime_ms FROM last_writer");
  if (!select.ok()) return select.status();
  const absl::StatusOr<bool> row = select->Step();
  if (!row.ok()) return row.status();
  if (!*row) return std::nullopt;
  return LastWriter{select->Text(0), select->Text(1), static_cast<dev_t>(select->Int(2)),
                    static_cast<ino_t>(select->Int(3)), select->Int(4)};
}

absl::Status RecordsDatabase::SetLastWriter(const LastWriter& writer) {
  set_last_writer_.BindText(1, writer.machine);
  set_last_writer_.BindText(2, writer.boot);
  set_last_writer_.Bind(3, ToColumn(writer.device));
  set_last_writer_.Bind(4, ToColumn(writer.inode));
  set_last_writer_.Bind(5, writer.uptime_ms);
  return set_last_writer_.Run();
}

absl::Status RecordsDatabase::ForEachHistory(const std::function<void(KeyHistory)>& visit) {
  absl::StatusOr<sqlite::Statement> keys = connection_->Prepare(
      "SELECT keys.pubkey, keys.highest_slot, leaves.slot, leaves.root FROM keys "
      "LEFT JOIN leaves ON leaves.key = keys.id ORDER BY keys.pubkey, leaves.slot");
  if (!keys.ok()) return keys.status();
  std::optional<KeyHistory> history;
  uint64_t highest_slot = 0;
  const auto finish = [&] {
    if (!history.has_value()) return;
    if (history->leaves.empty() || history->leaves.back().slot < highest_slot) {
      history->leaves.push_back(SignedLeaf{highest_slot, std::nullopt});
    }
    visit(*std::move(history));
  };
  while (true) {
    const absl::StatusOr<bool> row = keys->Step();
    if (!row.ok()) return row.status();
    if (!*row) break;
    const auto pubkey = FixedBytes<PublicKeyBytes>(keys->Blob(0));
    if (!history.has_value() || history->pubkey != pubkey) {
      finish();
      history = KeyHistory{pubkey, {}};
      highest_slot = static_cast<uint64_t>(keys->Int(1));
    }
    if (keys->IsNull(2)) continue;
    history->leaves.push_back(SignedLeaf{static_cast<uint64_t>(keys->Int(2)), RootOf(*keys, 3)});
  }
  finish();
  return absl::OkStatus();
}

}  // namespace lean::validator
