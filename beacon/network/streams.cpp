#include "beacon/network/streams.h"

#include <mutex>
#include <utility>

#include "grpcpp/client_context.h"

namespace lean::beacon {

// What both ends have in common: one message at a time in each direction, and an end that waits for the one under way.
// Named, as is ClientStream, which is one.
template <typename Reactor>
class StreamEnd : public Reactor, public Stream {
 public:
  void Write(grpc::ByteBuffer message) final {
    outgoing_.Swap(&message);
    std::lock_guard lock(mutex_);
    if (ending_) return;
    writing_ = true;
    this->StartWrite(&outgoing_);
  }

  void OnWriteDone(bool ok) final {
    {
      std::lock_guard lock(mutex_);
      writing_ = false;
      if (ending_) return EndLocked();
    }
    handler_->OnWritten(ok);
  }

 protected:
  explicit StreamEnd(std::shared_ptr<StreamHandler> handler) : handler_(std::move(handler)) {}

  // No more messages from here.
  void BeginEndLocked() {
    if (std::exchange(ending_, true)) return;
    if (!writing_) EndLocked();
  }
  // Tells gRPC, once, while no message is being written.
  virtual void EndLocked() = 0;

  grpc::ByteBuffer TakeIncoming() { return std::exchange(incoming_, grpc::ByteBuffer()); }

  const std::shared_ptr<StreamHandler> handler_;
  grpc::ByteBuffer incoming_;
  std::mutex mutex_;
  bool ending_ = false;  // guarded by mutex_

 private:
  grpc::ByteBuffer outgoing_;
  bool writing_ = false;  // guarded by mutex_
};

namespace {

class ServerStream final : public StreamEnd<StreamReactor> {
 public:
  ServerStream(grpc::CallbackServerContext* context, std::shared_ptr<StreamHandler> handler)
      : StreamEnd(std::move(handler)), context_(context) {}

  void Read() override {
    std::lock_guard lock(mutex_);
    if (!ending_) StartRead(&incoming_);
  }

  void Finish() override { End(grpc::Status::OK); }

  // OnCancel follows.
  void Cancel() override { context_->TryCancel(); }

  void OnReadDone(bool ok) override { handler_->OnRead(ok, TakeIncoming()); }

  void OnCancel() override { End(grpc::Status::CANCELLED); }

  void OnDone() override {
    handler_->OnClosed(grpc::Status::OK);
    delete this;
  }

 private:
  void End(const grpc::Status& status) {
    std::lock_guard lock(mutex_);
    if (!ending_) status_ = status;
    BeginEndLocked();
  }

  void EndLocked() override { StreamReactor::Finish(status_); }

  grpc::CallbackServerContext* const context_;
  grpc::Status status_;  // guarded by mutex_
};

class RefusedStream final : public StreamReactor {
 public:
  explicit RefusedStream(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

class ClientStream final : public StreamEnd<grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>> {
 public:
  ClientStream(std::shared_ptr<grpc::GenericStub> stub, const std::string& method,
               std::shared_ptr<StreamHandler> handler)
      : StreamEnd(std::move(handler)), stub_(std::move(stub)) {
    stub_->PrepareBidiStreamingCall(&context_, method, grpc::StubOptions(), this);
    AddHold();  // for what is started outside gRPC's own calls
  }

  void Start() { StartCall(); }

  void Read() override {
    std::lock_guard lock(mutex_);
    if (!ending_) ReadLocked();
  }

  void Finish() override {
    std::lock_guard lock(mutex_);
    BeginEndLocked();
  }

  void Cancel() override {
    context_.TryCancel();
    Finish();
  }

  void OnReadDone(bool ok) override {
    const grpc::ByteBuffer message = TakeIncoming();
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

  void OnDone(const grpc::Status& status) override {
    handler_->OnClosed(status);
    delete this;
  }

 private:
  void ReadLocked() {
    reading_ = true;
    StartRead(&incoming_);
  }

  void EndLocked() override {
    StartWritesDone();
    if (!reading_ && !read_all_) ReadLocked();
    RemoveHold();
  }

  const std::shared_ptr<grpc::GenericStub> stub_;  // outlives the context
  grpc::ClientContext context_;
  // Guarded by mutex_.
  bool reading_ = false;
  bool read_all_ = false;
};

ServerStreamEnds MakeServerStream(grpc::CallbackServerContext* context, std::shared_ptr<StreamHandler> handler) {
  auto* stream = new ServerStream(context, std::move(handler));
  return {stream, stream};
}

ClientStream* MakeClientStream(std::shared_ptr<grpc::GenericStub> stub, const std::string& method,
                               std::shared_ptr<StreamHandler> handler) {
  return new ClientStream(std::move(stub), method, std::move(handler));
}

Stream* StreamOf(ClientStream* stream) { return stream; }

void StartClientStream(ClientStream* stream) { stream->Start(); }

StreamReactor* RefuseStream(const grpc::Status& status) { return new RefusedStream(status); }

}  // namespace lean::beacon
