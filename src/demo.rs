//! To be written.
/// stub
#[derive(Debug)]
pub struct Options {
    /// a
    pub duration: std::time::Duration,
    /// b
    pub seed: u64,
    /// c
    pub serve: bool,
}
/// stub
pub async fn run(_options: Options) -> Result<String, std::io::Error> {
    Ok(String::new())
}
