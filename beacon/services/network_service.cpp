#include "beacon/services/network_service.h"

#include <optional>
#include <utility>

namespace lean::beacon {

NetworkService::NetworkService(OutboundChannel& outbound, std::shared_ptr<spdlog::logger> log)
    : outbound_(outbound), log_(std::move(log)) {}

NetworkService::~NetworkService() { Stop(); }

void NetworkService::Start() {
  log_->info("network_started peers=0 message=\"no peers are configured: blocks and votes stay on this beacon\"");
  thread_ = std::thread([this] { Run(); });
}

void NetworkService::Stop() {
  outbound_.Close();
  if (thread_.joinable()) thread_.join();
}

void NetworkService::Run() {
  while (std::optional<OutboundItem> item = outbound_.Pop()) Count(*item);
}

void NetworkService::Count(const OutboundItem& item) {
  const bool own = item.origin.kind == Origin::kLocal;
  (own ? own_blocks_ : foreign_blocks_) += item.block != nullptr;
  (own ? own_votes_ : foreign_votes_) += item.votes.size();
}

NetworkService::Counts NetworkService::counts() const {
  return {.own_blocks = own_blocks_,
          .own_votes = own_votes_,
          .foreign_blocks = foreign_blocks_,
          .foreign_votes = foreign_votes_};
}

}  // namespace lean::beacon
