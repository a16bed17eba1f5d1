//! Which service do the client commands talk to?

use std::time::Duration;

use clap::Args;
use tonic::transport::{Channel, Endpoint};

use super::fault::Fault;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The service to talk to.
#[derive(Debug, Clone, Args)]
pub struct Server {
    /// Address of the service, `host:port` or `http://host:port`. Used by all commands but `serve`, `demo` and `check`.
    #[arg(
        long = "server",
        id = "service-address",
        global = true,
        value_name = "ADDR",
        env = "POINTSMAN_SERVER",
        default_value = "127.0.0.1:50051"
    )]
    address: String,
}

impl Server {
    /// The address as a URI.
    pub fn uri(&self) -> String {
        if self.address.contains("://") { self.address.clone() } else { format!("http://{}", self.address) }
    }

    /// A connection to it.
    pub async fn connect(&self) -> Result<Channel, Fault> {
        let uri = self.uri();
        let endpoint = Endpoint::from_shared(uri.clone()).map_err(|error| {
            Fault::new(format!("`{uri}` is no address")).because(error).hint("write `host:port`")
        })?;
        endpoint.connect_timeout(CONNECT_TIMEOUT).connect().await.map_err(|error| {
            let hint =
                format!("is the service up? start it with `pointsman serve --listen {}`", self.address);
            Fault::new(format!("cannot reach the service at {uri}")).because(error).hint(hint)
        })
    }

    /// Whether the address was said, by flag or environment, or is the default.
    pub fn is_default(&self) -> bool {
        self.address == "127.0.0.1:50051"
    }
}
