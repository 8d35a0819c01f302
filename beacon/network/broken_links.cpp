#include "beacon/network/broken_links.h"

#include <memory>

namespace lean::beacon {

void BrokenLinks::Add(LinkPtr link, SteadyTime now) {
  std::lock_guard lock(mutex_);
  broken_.emplace_back(now, std::move(link));
}

std::vector<LinkPtr> BrokenLinks::Judge(SteadyTime now) {
  std::vector<LinkPtr> due;
  {
    std::lock_guard lock(mutex_);
    while (!broken_.empty() && now - broken_.front().first >= kWait) {
      due.push_back(std::move(broken_.front().second));
      broken_.pop_front();
    }
  }
  std::vector<LinkPtr> to_blame;
  for (LinkPtr& link : due) {
    const std::shared_ptr<BlockAsker> asker = link->asker();
    const bool connection_ended = asker != nullptr && asker->closed();
    link->CloseAsker();
    if (!connection_ended) to_blame.push_back(std::move(link));
  }
  return to_blame;
}

void BrokenLinks::Stop() {
  Broken broken;
  {
    std::lock_guard lock(mutex_);
    broken.swap(broken_);
  }
  for (const auto& [when, link] : broken) link->CloseAsker();
}

}  // namespace lean::beacon
