//! `pointsman serve`.

use std::{net::SocketAddr, path::PathBuf};

use clap::Args;

use super::{Ending, fault::Fault};
use crate::{app, config::Sources};

/// Flags of `serve`.
#[derive(Debug, Args)]
pub struct Serve {
    /// Configuration file. Without one the defaults hold; `pointsman check --schema` describes it.
    #[arg(long, value_name = "FILE", env = "POINTSMAN_CONFIG")]
    config: Option<PathBuf>,
    /// Address to listen on, over the file's `server.listen`. Port 0 takes a free one. [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl Serve {
    /// Serves until it is asked to end.
    pub async fn run(self) -> Result<Ending, Fault> {
        let sources = Sources { file: self.config, env: std::env::vars().collect(), listen: self.listen };
        match app::serve(sources).await {
            Ok(()) => Ok(Ending::Done),
            Err(app::AppError::Config(error)) => Err(Fault::new(error.to_string())),
            Err(error) => Err(Fault::new("the service cannot go on").because(error)),
        }
    }
}
