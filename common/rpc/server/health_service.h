// grpc.health.v1. Written here because gRPC's own health service does not bound its watchers.
#ifndef LEAN_COMMON_RPC_SERVER_HEALTH_SERVICE_H_
#define LEAN_COMMON_RPC_SERVER_HEALTH_SERVICE_H_

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "common/concurrency/mutex.h"
#include "common/rpc/connections/open_connections.h"
#include "grpc/health/v1/health.grpc.pb.h"

namespace lean::rpc {

// Every named service is SERVING, unless Set() or SetService() says otherwise, until Stop(). Thread-safe.
class HealthService final : public grpc::health::v1::Health::CallbackService {
 public:
  // The most streams that watch at the same time; more are refused with RESOURCE_EXHAUSTED.
  static constexpr size_t kMaxWatchers = 64;

  // Full names of the server's services and of other things whose health it reports. The empty name, which stands for
  // the whole server, is added. `requests` counts complete requests; null: they are not counted.
  explicit HealthService(const std::vector<std::string>& services, std::shared_ptr<RequestBytes> requests = nullptr);
  ~HealthService() override;

  // Makes all of them SERVING or NOT_SERVING and notifies watchers. Has no effect after Stop().
  void Set(bool serving);
  // The same for one service, which is SERVING while both calls say so.
  void SetService(const std::string& service, bool serving);

  // Makes all of them NOT_SERVING, notifies watchers and ends their streams. Idempotent.
  void Stop();

  grpc::ServerUnaryReactor* Check(grpc::CallbackServerContext* context,
                                  const grpc::health::v1::HealthCheckRequest* request,
                                  grpc::health::v1::HealthCheckResponse* response) override;
  grpc::ServerWriteReactor<grpc::health::v1::HealthCheckResponse>* Watch(
      grpc::CallbackServerContext* context, const grpc::health::v1::HealthCheckRequest* request) override;

 private:
  class Watcher;

  void Count(const grpc::CallbackServerContext& context, const grpc::health::v1::HealthCheckRequest& request) const;
  void Remove(Watcher* watcher);
  grpc::health::v1::HealthCheckResponse::ServingStatus StatusOf(const std::string& service) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TellWatchers() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::set<std::string> services_;
  const std::shared_ptr<RequestBytes> requests_;
  Mutex mutex_;
  bool serving_ ABSL_GUARDED_BY(mutex_) = true;
  std::set<std::string> resting_ ABSL_GUARDED_BY(mutex_);  // services that SetService has made NOT_SERVING
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::set<Watcher*> watchers_ ABSL_GUARDED_BY(mutex_);  // each deletes itself when its stream ends
};

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_SERVER_HEALTH_SERVICE_H_
