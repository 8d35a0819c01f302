// TLS of gRPC from PEM files, for servers and clients.
#ifndef LEAN_COMMON_RPC_TLS_H_
#define LEAN_COMMON_RPC_TLS_H_

#include <memory>

#include "common/rpc/tls_files.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/server_credentials.h"

namespace lean::rpc {

// Every connection uses the content that the files have when it begins. If they have an authority, every client must
// show a certificate of it. Null: without encryption.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(std::shared_ptr<TlsFiles> files);

// Null: without encryption.
std::shared_ptr<grpc::ChannelCredentials> MakeClientCredentials(const TlsFiles::Content* content);

}  // namespace lean::rpc

#endif  // LEAN_COMMON_RPC_TLS_H_
