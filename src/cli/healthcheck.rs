//! `pointsman healthcheck`, for probes of images without a shell.

use std::time::Duration;

use clap::Args;
use serde_json::json;
use tokio::time::timeout;
use tonic::{Code, Status};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};

use super::{Ending, client::Server, fault::Fault, output::Output};

/// A probe must not hang.
const DEADLINE: Duration = Duration::from_secs(2);

/// Flags of `healthcheck`.
#[derive(Debug, Args)]
pub struct Healthcheck {
    /// What to ask for: `readiness`, `liveness`, the full name of a service, or nothing for the whole.
    #[arg(long, default_value = "readiness")]
    service: String,
}

impl Healthcheck {
    /// Succeeds if the service says SERVING.
    pub async fn run(self, server: &Server, output: &Output) -> Result<Ending, Fault> {
        let asked = timeout(DEADLINE, self.ask(server)).await;
        let status = asked.map_err(|_| Fault::new("the service did not say within 2 s how it is"))??;
        if status != ServingStatus::Serving {
            return Err(Fault::new(format!("`{}` is {}", self.service, status.as_str_name())));
        }
        output.value(&json!({ "service": self.service, "status": status.as_str_name() }), |_| {
            "SERVING".to_owned()
        })?;
        Ok(Ending::Done)
    }

    async fn ask(&self, server: &Server) -> Result<ServingStatus, Fault> {
        let mut client = HealthClient::new(server.connect().await?);
        let asked = HealthCheckRequest { service: self.service.clone() };
        let reply = client.check(asked).await.map_err(|status| self.refused(&status))?;
        Ok(reply.into_inner().status())
    }

    fn refused(&self, status: &Status) -> Fault {
        if status.code() != Code::NotFound {
            return Fault::status(status);
        }
        let hint = "ask for `readiness`, for `liveness`, or for a service by its full name, such as \
                    `pointsman.v1.RoutingService`";
        Fault::new(format!("the service knows no health of `{}`", self.service)).hint(hint)
    }
}

#[cfg(test)]
mod tests;
