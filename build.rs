//! Compiles `proto/` at build time, without an installed `protoc`.

use std::{env, error::Error, fs, path::PathBuf};

const PROTOS: [&str; 5] = [
    "pointsman/v1/routing_service.proto",
    "pointsman/v1/load_service.proto",
    "pointsman/v1/node_service.proto",
    "pointsman/v1/answer_service.proto",
    "pointsman/v1/limit_service.proto",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=proto");
    let descriptors = protox::Compiler::new(["proto"])?
        .include_imports(true)
        .include_source_info(true)
        .open_files(PROTOS)?
        .encode_file_descriptor_set();

    // The same bytes generate the code, feed reflection and shape JSON output.
    let out = PathBuf::from(env::var("OUT_DIR")?).join("pointsman.bin");
    fs::write(&out, descriptors)?;
    tonic_prost_build::configure()
        .file_descriptor_set_path(&out)
        .skip_protoc_run()
        .compile_protos(&PROTOS, &["proto"])?;
    Ok(())
}
