//! Generates the contract between a beacon and its network engine from the project's `proto/`.

fn main() -> std::io::Result<()> {
    println!("cargo:rerun-if-changed=../proto/lean/v1/network_engine.proto");
    println!("cargo:rerun-if-changed=../proto/lean/v1/types.proto");
    tonic_prost_build::configure().compile_protos(&["../proto/lean/v1/network_engine.proto"], &["../proto"])
}
