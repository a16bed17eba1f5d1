//! Which service do the client commands talk to?

use std::time::Duration;

use clap::Args;
use tonic::transport::{Channel, Endpoint};

use super::fault::Fault;

const DEFAULT_ADDRESS: &str = "127.0.0.1:50051";
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);
/// A service that does not answer within this is not worth waiting for at a terminal.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// The service to talk to.
#[derive(Debug, Clone, Args)]
pub struct Server {
    /// Address of the service, `host:port` or `http://host:port`. Used by all commands but `serve`, `demo` and `check`.
    /// [default: 127.0.0.1:50051]
    #[arg(
        long = "server",
        id = "service-address",
        global = true,
        value_name = "ADDR",
        env = "POINTSMAN_SERVER"
    )]
    address: Option<String>,
}

impl Server {
    /// The address as a URI.
    pub fn uri(&self) -> String {
        let address = self.address();
        if address.contains("://") { address.to_owned() } else { format!("http://{address}") }
    }

    /// Whether the address was said, by flag or environment.
    pub fn is_said(&self) -> bool {
        self.address.is_some()
    }

    /// A connection to it, on which each call is answered within 5 seconds or fails.
    pub async fn connect(&self) -> Result<Channel, Fault> {
        self.connect_patiently(Duration::ZERO).await
    }

    /// The same for calls that may take so much longer.
    pub async fn connect_patiently(&self, patience: Duration) -> Result<Channel, Fault> {
        let uri = self.uri();
        let endpoint = Endpoint::from_shared(uri.clone()).map_err(|error| {
            Fault::new(format!("`{uri}` is no address")).because(error).hint("write `host:port`")
        })?;
        let endpoint = endpoint.connect_timeout(CONNECT_TIMEOUT).timeout(ANSWER_TIMEOUT + patience);
        endpoint.connect().await.map_err(|error| {
            let hint =
                format!("is the service up? start it with `pointsman serve --listen {}`", self.address());
            Fault::new(format!("cannot reach the service at {uri}")).because(error).hint(hint)
        })
    }

    fn address(&self) -> &str {
        self.address.as_deref().unwrap_or(DEFAULT_ADDRESS)
    }
}
