//! `pointsman agent`: flags over the file's `agent` section; without a file they suffice.

use std::{path::PathBuf, time::Duration};

use clap::Args;

use super::{
    Ending, asked_to_end,
    client::Server,
    fault::Fault,
    values::{Class, Endpoint, Model},
};
use crate::{
    agent,
    config::{AgentConfig, EngineConfig, Sources, preset::Preset},
    domain::{
        id::{ModelName, ModelVersion, NodeId},
        node::{NodeSpec, ServedModel},
    },
    telemetry,
};

/// Flags of `agent`.
#[derive(Debug, Args)]
pub struct Agent {
    /// Configuration file with an `agent` section.
    #[arg(long, value_name = "FILE", env = "POINTSMAN_CONFIG")]
    config: Option<PathBuf>,
    /// The node's id.
    #[arg(long, value_name = "ID")]
    node: Option<String>,
    /// Class of service. [default: normal]
    #[arg(long, value_enum)]
    class: Option<Class>,
    /// Where the node takes requests of a type; may be repeated.
    #[arg(long, value_name = "TYPE=URL")]
    endpoint: Vec<Endpoint>,
    /// Model that the node serves; may be repeated. [default: any]
    #[arg(long, value_name = "NAME[@VERSION,…]")]
    model: Vec<Model>,
    /// The model server's metrics page. While it cannot be read the node gets no picks.
    #[arg(long, value_name = "URL", requires = "engine")]
    engine_url: Option<String>,
    /// Kind of model server: `vllm`, `sglang`, `llama_cpp`, `triton` or `tgi`.
    #[arg(long, value_name = "KIND", value_parser = preset, requires = "engine_url")]
    engine: Option<Preset>,
    /// Do not report the host's processor and memory.
    #[arg(long)]
    no_host: bool,
    /// Report the GPUs (needs a build with the feature `gpu`).
    #[arg(long)]
    gpu: bool,
}

impl Agent {
    /// Reports until it is asked to end, then says farewell.
    pub async fn run(self, server: &Server) -> Result<Ending, Fault> {
        let sources = Sources { file: self.config.clone(), env: std::env::vars().collect(), listen: None };
        let config = sources.load().map_err(|error| Fault::new(error.to_string()))?;
        telemetry::start_logs(&config.log)
            .map_err(|error| Fault::new("cannot start the logs").because(error))?;
        let agent_config = self.over(config.agent, server)?;
        let ended = agent::run(agent_config, asked_to_end()).await;
        ended.map_err(|error| Fault::new("the agent cannot go on").because(error))?;
        Ok(Ending::Done)
    }

    /// The file's section with the flags over it.
    fn over(self, section: Option<AgentConfig>, server: &Server) -> Result<AgentConfig, Fault> {
        let mut config = match section {
            Some(section) => section,
            None => from_scratch(self.node.as_deref(), server)?,
        };
        if server.is_said() {
            config.server = server.uri();
        }
        if let Some(id) = &self.node {
            config.node.id = node_id(id)?;
        }
        if let Some(class) = self.class {
            config.node.class = class.into();
        }
        if !self.endpoint.is_empty() {
            config.node.endpoints =
                self.endpoint.iter().map(|e| (e.kind.into(), e.uri.as_str().into())).collect();
        }
        if !self.model.is_empty() {
            config.node.models = self.model.iter().map(served).collect::<Result<_, _>>()?;
        }
        if let (Some(metrics_url), Some(preset)) = (self.engine_url, self.engine) {
            let timeout = Duration::from_secs(1);
            let kv_events = config.engine.and_then(|engine| engine.kv_events);
            config.engine = Some(EngineConfig { metrics_url, timeout, mapping: preset.mapping(), kv_events });
        }
        config.host &= !self.no_host;
        config.gpu |= self.gpu;
        if config.node.endpoints.is_empty() {
            return Err(Fault::new("the node has no endpoint").hint("say `--endpoint text=http://host:port`"));
        }
        Ok(config)
    }
}

/// What the agent does where neither file nor flags say otherwise.
fn from_scratch(id: Option<&str>, server: &Server) -> Result<AgentConfig, Fault> {
    let missing =
        || Fault::new("the agent needs to know its node").hint("say `--node ID`, or `--config FILE`");
    let node = NodeSpec::of(node_id(id.ok_or_else(missing)?)?);
    Ok(AgentConfig::of(node, server.uri()))
}

fn node_id(id: &str) -> Result<NodeId, Fault> {
    NodeId::parse(id).map_err(|error| Fault::new(format!("`{id}` is no node id")).because(error))
}

fn served(model: &Model) -> Result<ServedModel, Fault> {
    let wrong = |error| Fault::new(format!("`{}` is no model", model.name)).because(error);
    let versions = model.versions.iter().map(|version| ModelVersion::parse(version));
    Ok(ServedModel {
        name: ModelName::parse(&model.name).map_err(wrong)?,
        versions: versions.collect::<Result<_, _>>().map_err(wrong)?,
        request_types: Vec::new(),
    })
}

fn preset(name: &str) -> Result<Preset, String> {
    let known = Preset::NAMES.iter().find(|(_, known)| *known == name);
    let names = || Preset::NAMES.map(|(_, name)| name).join(", ");
    known.map(|(preset, _)| *preset).ok_or_else(|| format!("known are {}", names()))
}
