#include "validator_client/commands/keys_export.h"

#include <filesystem>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/bytes/hex.h"
#include "validator_client/keystore_folder.h"

namespace lean::validator {

absl::Status ExportKeys(const KeysExportOptions& options, xmss::RandomSource& random, std::ostream& out) {
  absl::StatusOr<KeyRecords> records = KeyRecords::Open(options.keystores, options.indices, options.records);
  if (!records.ok()) return records.status();
  if (absl::Status status = PreparePrivateFolder(options.output_dir); !status.ok()) return status;
  const std::filesystem::path output = options.output_dir;
  const absl::StatusOr<size_t> with_records = records->Export((output / "records.json").string());
  if (!with_records.ok()) return with_records.status();
  absl::StatusOr<KeystoreFolder> copies = KeystoreFolder::Open((output / "keystores.yaml").string());
  if (!copies.ok()) return copies.status();
  for (const KeystoreEntry& entry : records->keys()) {
    if (options.stop.stop_requested()) return absl::CancelledError("the keys that follow were not exported");
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
  out << absl::StrCat("exported ", records->keys().size(), " keys and the records of ", *with_records, " of them to ",
                      options.output_dir, ". They are still in ", options.keystores,
                      ": delete them here before they run there\n");
  return absl::OkStatus();
}

}  // namespace lean::validator
