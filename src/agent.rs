//! To be written.
/// stub
pub async fn run(
    _config: crate::config::AgentConfig,
    shutdown: impl Future<Output = ()>,
) -> Result<(), std::io::Error> {
    shutdown.await;
    Ok(())
}
