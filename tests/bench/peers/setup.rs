//! Where do the peers come from? From their registries, at the first run, into the target directory.

use std::{
    env,
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    peer::Peer,
    place::Place,
    prompts::{BLOCKS, PROMPTS},
    said::Failure,
};

/// The release of `LiteLLM`.
const LITELLM: &str = "litellm==1.110.2";

/// Fetches a peer where it is not there yet; how it is started.
type Prepare = fn(&Place) -> Result<Command, Failure>;

/// Names of the peers, and what prepares each.
pub(super) const PEERS: [(&str, Prepare); 3] =
    [("sort", |_| Ok(sort())), ("litellm", litellm), ("dynamo", dynamo)];

/// A peer that has answered, or why it cannot be had.
pub(super) fn start(name: &str, prepare: Prepare) -> Result<Peer, Failure> {
    let place = Place::of(name)?;
    let peer = prepare(&place).and_then(|command| Peer::start(command, &place));
    peer.map_err(|error| place.reason(error))
}

fn sort() -> Command {
    let mut node = Command::new("node");
    node.arg(ours("sort.js")).args(prompts());
    node
}

fn litellm(place: &Place) -> Result<Command, Failure> {
    let python = place.folder.join("bin/python");
    let ready = place.folder.join("ready");
    if !fs::read(&ready).is_ok_and(|release| release == LITELLM.as_bytes()) {
        place.step(Command::new("python3").args(["-m", "venv"]).arg(&place.folder))?;
        let install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", LITELLM];
        place.step(Command::new(&python).args(install))?;
        fs::write(ready, LITELLM)?;
    }
    let mut router = Command::new(python);
    // Its list of prices is on a network that it may not have.
    router.arg(ours("litellm_router.py")).env("LITELLM_LOCAL_MODEL_COST_MAP", "True");
    Ok(router)
}

fn dynamo(place: &Place) -> Result<Command, Failure> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut build = Command::new(cargo);
    build
        .args(["build", "--quiet", "--release", "--locked", "--manifest-path"])
        .arg(ours("dynamo/Cargo.toml"));
    place.step(build.arg("--target-dir").arg(&place.folder))?;
    let mut router = Command::new(place.folder.join("release/peer-dynamo"));
    router.args(prompts());
    Ok(router)
}

/// A file beside this one.
fn ours(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/peers").join(name)
}

/// What tells a peer of which prompts it will be asked.
fn prompts() -> [String; 2] {
    [BLOCKS, PROMPTS].map(|number| number.to_string())
}
