#include "beacon/network/streams.h"

#include <mutex>
#include <utility>

#include "grpcpp/client_context.h"

namespace lean::beacon {
namespace {

class ServerStream final : public StreamReactor, public Stream {
 public:
  ServerStream(grpc::CallbackServerContext* context, std::shared_ptr<StreamHandler> handler)
      : context_(context), handler_(std::move(handler)) {}

  void Read() override {
    std::lock_guard lock(mutex_);
    if (!ending_) StartRead(&incoming_);
  }

  void Write(grpc::ByteBuffer message) override {
    outgoing_.Swap(&message);
    std::lock_guard lock(mutex_);
    if (ending_) return;
    writing_ = true;
    StartWrite(&outgoing_);
  }

  void Finish() override { End(grpc::Status::OK); }

  // OnCancel follows.
  void Cancel() override { context_->TryCancel(); }

  void OnReadDone(bool ok) override {
    const grpc::ByteBuffer message = std::exchange(incoming_, grpc::ByteBuffer());
    handler_->OnRead(ok, message);
  }

  void OnWriteDone(bool ok) override {
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      if (ending_) return StreamReactor::Finish(status_);
    }
    handler_->OnWritten(ok);
  }

  void OnCancel() override { End(grpc::Status::CANCELLED); }

  void OnDone() override {
    handler_->OnClosed(grpc::Status::OK);
    delete this;
  }

 private:
  // gRPC takes the status once, and not beside a message.
  void End(const grpc::Status& status) {
    std::lock_guard lock(mutex_);
    if (ending_) return;
    ending_ = true;
    status_ = status;
    if (!writing_) StreamReactor::Finish(status_);
  }

  grpc::CallbackServerContext* const context_;
  const std::shared_ptr<StreamHandler> handler_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  std::mutex mutex_;
  // Guarded by mutex_.
  bool writing_ = false;
  bool ending_ = false;
  grpc::Status status_;
};

class RefusedStream final : public StreamReactor {
 public:
  explicit RefusedStream(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

class ClientStream final : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>, public Stream {
 public:
  ClientStream(grpc::GenericStub& stub, const std::string& method, std::shared_ptr<StreamHandler> handler)
      : handler_(std::move(handler)) {
    stub.PrepareBidiStreamingCall(&context_, method, grpc::StubOptions(), this);
    AddHold();  // for what is started outside gRPC's own calls
  }

  void Start() { StartCall(); }

  void Read() override {
    std::lock_guard lock(mutex_);
    if (!ending_) ReadLocked();
  }

  void Write(grpc::ByteBuffer message) override {
    outgoing_.Swap(&message);
    std::lock_guard lock(mutex_);
    if (ending_) return;
    writing_ = true;
    StartWrite(&outgoing_);
  }

  void Finish() override {
    std::lock_guard lock(mutex_);
    if (ending_) return;
    ending_ = true;
    if (!writing_) EndLocked();
  }

  void Cancel() override {
    context_.TryCancel();
    Finish();
  }

  void OnReadDone(bool ok) override {
    const grpc::ByteBuffer message = std::exchange(incoming_, grpc::ByteBuffer());
    {
      std::lock_guard lock(mutex_);
      reading_ = false;
      read_all_ = !ok;
      if (ending_) {
        // What was sent before the other end noticed: the status comes after it only.
        if (ok) ReadLocked();
        return;
      }
    }
    handler_->OnRead(ok, message);
  }

  void OnWriteDone(bool ok) override {
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      if (ending_) return EndLocked();
    }
    handler_->OnWritten(ok);
  }

  void OnDone(const grpc::Status& status) override {
    handler_->OnClosed(status);
    delete this;
  }

 private:
  void ReadLocked() {
    reading_ = true;
    StartRead(&incoming_);
  }

  void EndLocked() {
    StartWritesDone();
    if (!reading_ && !read_all_) ReadLocked();
    RemoveHold();
  }

  grpc::ClientContext context_;
  const std::shared_ptr<StreamHandler> handler_;
  grpc::ByteBuffer incoming_;
  grpc::ByteBuffer outgoing_;
  std::mutex mutex_;
  // Guarded by mutex_.
  bool reading_ = false;
  bool writing_ = false;
  bool read_all_ = false;
  bool ending_ = false;
};

ServerStreamEnds MakeServerStream(grpc::CallbackServerContext* context, std::shared_ptr<StreamHandler> handler) {
  auto* stream = new ServerStream(context, std::move(handler));
  return {stream, stream};
}

ClientStream* MakeClientStream(grpc::GenericStub& stub, const std::string& method,
                               std::shared_ptr<StreamHandler> handler) {
  return new ClientStream(stub, method, std::move(handler));
}

Stream* StreamOf(ClientStream* stream) { return stream; }

void StartClientStream(ClientStream* stream) { stream->Start(); }

StreamReactor* RefuseStream(const grpc::Status& status) { return new RefusedStream(status); }

}  // namespace lean::beacon
