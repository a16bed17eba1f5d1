//! A decision, for people.

use super::{
    Ending,
    values::{or_dash, show_duration},
    verdicts,
};
use crate::proto::{self, PickNodeResponse, pick_node_response::Outcome};

/// Whether the service said no.
pub fn ending(response: &PickNodeResponse) -> Ending {
    match response.outcome {
        Some(Outcome::Rejection(_)) => Ending::Rejected,
        _ => Ending::Done,
    }
}

/// The decision, for people.
pub fn told(response: &PickNodeResponse) -> String {
    let mut lines = match &response.outcome {
        Some(Outcome::Route(route)) => route_lines(&response.request_id, route),
        Some(Outcome::Rejection(rejection)) => rejection_lines(rejection),
        Some(Outcome::CachedAnswer(answer)) => answer_lines(answer),
        None => vec!["The service decided something that this version does not know.".to_owned()],
    };
    match response.rung() {
        proto::Rung::Frozen => {
            lines.push("  frozen       most nodes are silent; their last known load was used".into());
        }
        proto::Rung::Panic => {
            lines.push("  panic        most of the pool is ejected; breakers were ignored".into());
        }
        proto::Rung::Busy => lines.push("  busy         free requests of low priority get less".into()),
        proto::Rung::Overloaded => {
            lines.push("  overloaded   only premium and urgent requests get all".into())
        }
        proto::Rung::Normal | proto::Rung::Unspecified => {}
    }
    if let Some(explanation) = &response.explanation {
        lines.push(verdicts::table(explanation));
    }
    lines.join("\n")
}

fn route_lines(request_id: &str, route: &proto::Route) -> Vec<String> {
    let mut lines = vec![format!("{}  {}", route.node_id, route.endpoint)];
    let fallbacks: Vec<_> = route.fallbacks.iter().map(|fallback| fallback.node_id.as_str()).collect();
    lines.push(format!("  request      {request_id}"));
    if !fallbacks.is_empty() {
        lines.push(format!("  fallbacks    {}", fallbacks.join(", ")));
    }
    if !route.lease_id.is_empty() {
        lines.push(format!(
            "  lease        {} for {}",
            route.lease_id,
            or_dash(route.lease_ttl.map(show_duration))
        ));
    }
    if let Some(expected) = route.expected_first_token_latency {
        lines.push(format!("  first token  in about {}", show_duration(expected)));
    }
    if route.spilled {
        lines.push("  spilled      no node of the request's own class could take it".to_owned());
    }
    if route.repeated {
        lines.push("  repeated     this request was picked before".to_owned());
    }
    lines
}

fn answer_lines(answer: &proto::CachedAnswer) -> Vec<String> {
    use proto::cached_answer::Body;
    let what = match &answer.body {
        Some(Body::Reference(reference)) => reference.clone(),
        Some(Body::Inline(bytes)) => format!("{} bytes", bytes.len()),
        None => "nothing".to_owned(),
    };
    let freshness = if answer.stale { "stale" } else { "fresh" };
    let age = or_dash(answer.age.map(show_duration));
    let mut lines = vec![format!("known answer: {what}"), format!("  {freshness}        stored {age} ago")];
    if answer.coalesced {
        lines.push("  coalesced    an identical request was answered meanwhile".to_owned());
    }
    lines
}

fn rejection_lines(rejection: &proto::Rejection) -> Vec<String> {
    let mut lines = vec![format!("rejected: {}", rejection.message)];
    if rejection.emptied_by() != proto::Filter::Unspecified {
        lines.push(format!("  filter       {}", verdicts::filter_name(rejection.emptied_by())));
    }
    lines.push(match rejection.retry_delay {
        Some(delay) => format!("  again        in {}", show_duration(delay)),
        None => "  again        when the fleet or the configuration has changed".to_owned(),
    });
    lines
}
