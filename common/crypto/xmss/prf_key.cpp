#include "common/crypto/xmss/prf_key.h"

#include "common/secrets/secret_memory.h"

namespace lean::xmss {

PrfKey::PrfKey(const Bytes& bytes) : bytes_(new (SecretAllocator<Bytes>().allocate(1)) Bytes(bytes)) {}

void PrfKey::Free::operator()(Bytes* bytes) const { SecretAllocator<Bytes>().deallocate(bytes, 1); }

const PrfKey::Bytes& PrfKey::bytes() const {
  static constexpr Bytes kZero{};
  return bytes_ != nullptr ? *bytes_ : kZero;
}

}  // namespace lean::xmss
