#include "validator_client/commands/keys_export.h"

#include <filesystem>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "validator_client/keystore_folder.h"

namespace lean::validator {

absl::Status ExportKeys(const KeysExportOptions& options, xmss::RandomSource& random, std::ostream& out) {
  const absl::StatusOr<KeystoreFolder> folder = KeystoreFolder::Open(options.keystores);
  if (!folder.ok()) return folder.status();
  const absl::StatusOr<std::vector<KeystoreEntry>> keys = folder->Select(options.indices);
  if (!keys.ok()) return keys.status();
  absl::StatusOr<KeyRecords> records = KeyRecords::Open(*keys, options.records);
  if (!records.ok()) return records.status();
  if (absl::Status status = PreparePrivateFolder(options.output_dir); !status.ok()) return status;
  const std::filesystem::path output = options.output_dir;
  const absl::StatusOr<size_t> with_records = records->Export(*keys, (output / "records.json").string());
  if (!with_records.ok()) return with_records.status();
  absl::StatusOr<KeystoreFolder> copies = KeystoreFolder::Open((output / "keystores.yaml").string());
  if (!copies.ok()) return copies.status();
  for (const KeystoreEntry& entry : *keys) {
    const absl::StatusOr<xmss::SecretKey> key =
        ReadWholeKey(entry.path, options.source_password, /*may_be_public=*/false, options.trees);
    if (!key.ok()) return key.status();
    if (PublicKeyBytesOf(key->scheme(), key->public_key()) != entry.pubkey) {
      return absl::InvalidArgumentError(absl::StrCat(entry.path, " holds another key than the list says"));
    }
    if (absl::Status status = copies->Add(entry.index, *key, options.protection, random); !status.ok()) return status;
    out << "index=" << entry.index << " pubkey=" << ShortHex(entry.pubkey.span())
        << " result=exported file=" << copies->Find(entry.pubkey)->path << std::endl;
  }
  out << absl::StrCat("exported ", keys->size(), " keys and the records of ", *with_records, " of them to ",
                      options.output_dir, ". They are still in ", options.keystores,
                      ": delete them here before they run there\n");
  return absl::OkStatus();
}

}  // namespace lean::validator
