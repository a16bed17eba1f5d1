//! Domain values as they look on the wire; what the service and the agent both send.

use std::time::Duration;

use crate::{
    domain::{
        load::{NodeLoad, Ratio},
        node::{NodeClass, NodeSpec, RequestType, ServedModel},
    },
    proto,
};

/// What a node declares.
pub fn spec(spec: &NodeSpec) -> proto::NodeSpec {
    let endpoint = |(kind, uri): (&RequestType, &std::sync::Arc<str>)| proto::Endpoint {
        request_type: request_type(*kind).into(),
        uri: uri.to_string(),
    };
    proto::NodeSpec {
        node_id: spec.id.to_string(),
        endpoints: spec.endpoints.iter().map(endpoint).collect(),
        models: spec.models.iter().map(model).collect(),
        node_class: class(spec.class).into(),
        weight: Some(spec.weight),
        labels: spec.labels.clone().into_iter().collect(),
        queue_capacity: spec.queue_capacity.map(|capacity| capacity.get().cast_signed()),
        kv_tokens: spec.kv_tokens.map(|tokens| tokens.get().cast_signed()),
    }
}

fn model(model: &ServedModel) -> proto::ServedModel {
    proto::ServedModel {
        name: model.name.to_string(),
        versions: model.versions.iter().map(ToString::to_string).collect(),
        request_types: model.request_types.iter().map(|kind| request_type(*kind).into()).collect(),
    }
}

/// What a node reports.
pub fn load(load: &NodeLoad) -> proto::NodeLoad {
    proto::NodeLoad {
        cpu_utilization: load.cpu.map(Ratio::get),
        memory_utilization: load.memory.map(Ratio::get),
        gpu_utilization: load.gpu.map(Ratio::get),
        gpu_memory_utilization: load.gpu_memory.map(Ratio::get),
        running_request_count: load.running.map(i64::from),
        waiting_request_count: load.waiting.map(i64::from),
        kv_cache_utilization: load.kv_cache.map(Ratio::get),
        first_token_latency: load.first_token_latency.map(duration),
        loaded_adapters: load.adapters.iter().map(ToString::to_string).collect(),
        kv_capacity_tokens: load.kv_capacity.map(u64::cast_signed),
        kv_active_tokens: load.kv_active.map(u64::cast_signed),
        queued_prompt_tokens: load.queued_tokens.map(u64::cast_signed),
        queued_work: load.queued_work,
        work_per_ms: load.speed,
        decoding_request_count: load.decoding.map(i64::from),
        received_lease_id: load.received_lease.map(|lease| lease.to_string()).unwrap_or_default(),
        age: load.age.map(duration),
    }
}

/// A span of time; one beyond what the wire can say is cut.
pub fn duration(duration: Duration) -> prost_types::Duration {
    let longest = prost_types::Duration { seconds: 315_576_000_000, nanos: 0 };
    duration.try_into().unwrap_or(longest)
}

/// A request type.
pub fn request_type(kind: RequestType) -> proto::RequestType {
    match kind {
        RequestType::Text => proto::RequestType::Text,
        RequestType::Image => proto::RequestType::Image,
        RequestType::Audio => proto::RequestType::Audio,
        RequestType::Embedding => proto::RequestType::Embedding,
        RequestType::Video => proto::RequestType::Video,
        RequestType::Rerank => proto::RequestType::Rerank,
    }
}

/// A class of service.
pub fn class(class: NodeClass) -> proto::NodeClass {
    match class {
        NodeClass::High => proto::NodeClass::High,
        NodeClass::Normal => proto::NodeClass::Normal,
    }
}
