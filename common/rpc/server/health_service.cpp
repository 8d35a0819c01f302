#include "common/rpc/server/health_service.h"

#include <utility>

#include "absl/base/thread_annotations.h"
#include "common/rpc/wire/status.h"

namespace lean::rpc {
namespace {

using grpc::health::v1::HealthCheckRequest;
using grpc::health::v1::HealthCheckResponse;

std::set<std::string> WithServer(const std::vector<std::string>& services) {
  std::set<std::string> names(services.begin(), services.end());
  names.insert("");
  return names;
}

// A stream that is refused immediately.
class RefusedWatch final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  explicit RefusedWatch(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

// Writes the first state and each change. The last one is NOT_SERVING when the server stops. There is one write at a
// time and one Finish.
class HealthService::Watcher final : public grpc::ServerWriteReactor<HealthCheckResponse> {
 public:
  Watcher(HealthService* owner, std::string service, HealthCheckResponse::ServingStatus status)
      : owner_(owner), service_(std::move(service)), wanted_(status) {
    MutexLock lock(mutex_);
    Write(status);
  }

  const std::string& service() const { return service_; }

  void Set(HealthCheckResponse::ServingStatus status) {
    MutexLock lock(mutex_);
    wanted_ = status;
    if (!writing_) Advance();
  }

  void Stop() {
    MutexLock lock(mutex_);
    stopping_ = true;
    if (wanted_ != HealthCheckResponse::SERVICE_UNKNOWN) wanted_ = HealthCheckResponse::NOT_SERVING;
    if (!writing_) Advance();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(mutex_);
    writing_ = false;
    if (!ok) {
      FinishOnce(grpc::Status::CANCELLED);
    } else {
      Advance();
    }
  }

  void OnCancel() override {
    MutexLock lock(mutex_);
    FinishOnce(grpc::Status::CANCELLED);
  }

  void OnDone() override {
    owner_->Remove(this);
    delete this;
  }

 private:
  void Write(HealthCheckResponse::ServingStatus status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    response_.set_status(status);
    writing_ = true;
    StartWrite(&response_);
  }

  void Advance() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_) return;
    if (response_.status() != wanted_) {
      Write(wanted_);
    } else if (stopping_) {
      FinishOnce(ToGrpcStatus(MakeError(absl::StatusCode::kUnavailable, "SHUTTING_DOWN", "the server is stopping")));
    }
  }

  void FinishOnce(const grpc::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (finished_) return;
    finished_ = true;
    Finish(status);
  }

  HealthService* const owner_;
  const std::string service_;
  Mutex mutex_;
  HealthCheckResponse::ServingStatus wanted_ ABSL_GUARDED_BY(mutex_);
  HealthCheckResponse response_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
};

HealthService::HealthService(const std::vector<std::string>& services, std::shared_ptr<RequestBytes> requests)
    : services_(WithServer(services)), requests_(std::move(requests)) {}

HealthService::~HealthService() = default;

void HealthService::Set(bool serving) {
  MutexLock lock(mutex_);
  if (stopped_ || serving_ == serving) return;
  serving_ = serving;
  TellWatchers();
}

void HealthService::SetService(const std::string& service, bool serving) {
  MutexLock lock(mutex_);
  if (stopped_ || resting_.contains(service) == !serving) return;
  if (serving) {
    resting_.erase(service);
  } else {
    resting_.insert(service);
  }
  TellWatchers();
}

HealthCheckResponse::ServingStatus HealthService::StatusOf(const std::string& service) const {
  if (!services_.contains(service)) return HealthCheckResponse::SERVICE_UNKNOWN;
  const bool serves = serving_ && !stopped_ && !resting_.contains(service);
  return serves ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

void HealthService::TellWatchers() {
  for (Watcher* watcher : watchers_) watcher->Set(StatusOf(watcher->service()));
}

void HealthService::Stop() {
  MutexLock lock(mutex_);
  stopped_ = true;
  for (Watcher* watcher : watchers_) watcher->Stop();
}

void HealthService::Count(const grpc::CallbackServerContext& context, const HealthCheckRequest& request) const {
  if (requests_ != nullptr) requests_->Count(context.peer(), request.ByteSizeLong());
}

grpc::ServerUnaryReactor* HealthService::Check(grpc::CallbackServerContext* context, const HealthCheckRequest* request,
                                               HealthCheckResponse* response) {
  Count(*context, *request);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  if (services_.count(request->service()) == 0) {
    reactor->Finish(ToGrpcStatus(
        MakeError(absl::StatusCode::kNotFound, "UNKNOWN_SERVICE", "this server has no service of that name")));
    return reactor;
  }
  MutexLock lock(mutex_);
  response->set_status(StatusOf(request->service()));
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerWriteReactor<HealthCheckResponse>* HealthService::Watch(grpc::CallbackServerContext* context,
                                                                    const HealthCheckRequest* request) {
  Count(*context, *request);
  MutexLock lock(mutex_);
  if (stopped_) {
    return new RefusedWatch(MakeError(absl::StatusCode::kUnavailable, "SHUTTING_DOWN", "the server is stopping"));
  }
  if (watchers_.size() >= kMaxWatchers) {
    return new RefusedWatch(
        MakeError(absl::StatusCode::kResourceExhausted, "OVERLOADED", "too many streams watch this server's health"));
  }
  auto* watcher = new Watcher(this, request->service(), StatusOf(request->service()));
  watchers_.insert(watcher);
  return watcher;
}

void HealthService::Remove(Watcher* watcher) {
  MutexLock lock(mutex_);
  watchers_.erase(watcher);
}

}  // namespace lean::rpc
