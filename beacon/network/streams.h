// Bidirectional streams of raw messages, the same to use at both ends.
#ifndef LEAN_BEACON_NETWORK_STREAMS_H_
#define LEAN_BEACON_NETWORK_STREAMS_H_

#include <memory>
#include <string>

#include "grpcpp/generic/generic_stub.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/byte_buffer.h"
#include "grpcpp/support/client_callback.h"
#include "grpcpp/support/server_callback.h"
#include "grpcpp/support/status.h"

namespace lean::beacon {

// One end of a stream. Thread-safe, but for what is said of each method. May be used until the handler's OnClosed
// returns, and not after: the handler forgets it then.
class Stream {
 public:
  virtual ~Stream() = default;

  // Each answered by one call of the handler, before which it must not be called again. Do nothing after Finish or
  // Cancel.
  virtual void Read() = 0;
  virtual void Write(grpc::ByteBuffer message) = 0;

  // No more messages from here, and what still comes in is dropped: of the handler's calls only OnClosed is left. Once
  // the other end has no more messages either, that comes. Both any number of times, and Cancel after Finish.
  virtual void Finish() = 0;
  // Breaks the stream off.
  virtual void Cancel() = 0;
};

// Who works with a stream. Called by gRPC's threads, never from within a call of the stream. OnRead and OnWritten may
// come at the same time, and a last one of each while Finish or Cancel is called.
class StreamHandler {
 public:
  virtual ~StreamHandler() = default;

  virtual void OnRead(bool ok, const grpc::ByteBuffer& message) = 0;
  virtual void OnWritten(bool ok) = 0;
  // The last call. With the client the server's status.
  virtual void OnClosed(const grpc::Status& status) = 0;
};

using StreamReactor = grpc::ServerBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer>;

// A stream that came in: `reactor` is for gRPC, `stream` for the handler. Both die by themselves after OnClosed, which
// keeps the handler alive until then.
struct ServerStreamEnds {
  StreamReactor* reactor;
  Stream* stream;
};
ServerStreamEnds MakeServerStream(grpc::CallbackServerContext* context, std::shared_ptr<StreamHandler> handler);

// Opens a stream to `method` ("/lean.v1.PeerService/Gossip"); nothing happens before StartClientStream. It keeps the
// stub until its call is done with the channel.
class ClientStream;
ClientStream* MakeClientStream(std::shared_ptr<grpc::GenericStub> stub, const std::string& method,
                               std::shared_ptr<StreamHandler> handler);
Stream* StreamOf(ClientStream* stream);
void StartClientStream(ClientStream* stream);

// A reactor that only ends the call.
StreamReactor* RefuseStream(const grpc::Status& status);

}  // namespace lean::beacon

#endif  // LEAN_BEACON_NETWORK_STREAMS_H_
