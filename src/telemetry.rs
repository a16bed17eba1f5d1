//! What the process tells of itself: logs, to standard error.

use thiserror::Error;
use tracing_subscriber::{EnvFilter, filter::ParseError, fmt, util::TryInitError};

use crate::config::{LogConfig, LogFormat};

/// Why there are no logs.
#[derive(Debug, Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error(
        "`log.filter` is not a filter; hint: write levels and targets, such as `info,pointsman::api=debug`"
    )]
    Filter(#[from] ParseError),
    /// Something else logs already.
    #[error("logs were started before")]
    Started(#[from] TryInitError),
}

/// Starts the logs of this process.
pub fn start_logs(config: &LogConfig) -> Result<(), LogError> {
    use tracing_subscriber::util::SubscriberInitExt;
    let filter = EnvFilter::builder().parse(&config.filter)?;
    let lines = fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match config.format {
        LogFormat::Text => lines.with_ansi(false).finish().try_init()?,
        LogFormat::Json => lines.json().finish().try_init()?,
    }
    Ok(())
}
