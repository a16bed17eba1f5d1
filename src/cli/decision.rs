//! A decision, for people.

use super::{
    Ending, known,
    values::{or_dash, show_duration},
    verdicts,
    words::{filter_name, rung_name, unit_name},
};
use crate::proto::{self, OverLimit, PickNodeResponse, Rejection, Route, Rung, pick_node_response::Outcome};

/// Whether the service said no.
pub fn ending(response: &PickNodeResponse) -> Ending {
    match response.outcome {
        Some(Outcome::Rejection(_)) => Ending::Rejected,
        _ => Ending::Done,
    }
}

/// The decision for a request of this model, for people.
pub fn told(response: &PickNodeResponse, model: &str) -> String {
    let mut lines = match &response.outcome {
        Some(Outcome::Route(route)) => route_lines(&response.request_id, route, model),
        Some(Outcome::Rejection(rejection)) => rejection_lines(rejection),
        Some(Outcome::CachedAnswer(answer)) => known::lines(answer),
        None => vec!["The service decided something that this version does not know.".to_owned()],
    };
    lines.extend(rung_line(response.rung()));
    lines.extend(response.explanation.as_ref().map(verdicts::told));
    lines.join("\n")
}

/// One line below the first: what it is about, and what there is to say.
pub fn line(label: &str, text: &str) -> String {
    format!("  {label:<12} {text}")
}

fn rung_line(rung: Rung) -> Option<String> {
    let told = match rung {
        Rung::Frozen => "most nodes are silent; their last known load was used",
        Rung::Panic => "most of the pool is ejected; breakers were ignored",
        Rung::Busy => "free requests of low priority get less",
        Rung::Overloaded => "free requests of normal priority get less too",
        Rung::Normal | Rung::Unspecified => return None,
    };
    Some(line(rung_name(rung), told))
}

fn route_lines(request_id: &str, route: &Route, asked: &str) -> Vec<String> {
    let mut lines = vec![format!("{}  {}", route.node_id, route.endpoint)];
    let fallbacks: Vec<_> = route.fallbacks.iter().map(|fallback| fallback.node_id.as_str()).collect();
    lines.push(line("request", request_id));
    if !route.model.is_empty() && route.model != asked {
        lines.push(line("model", &format!("ask for {} in place of {asked}", route.model)));
    }
    if !fallbacks.is_empty() {
        lines.push(line("fallbacks", &fallbacks.join(", ")));
    }
    if !route.lease_id.is_empty() {
        let ttl = or_dash(route.lease_ttl.map(show_duration));
        lines.push(line("lease", &format!("{} for {ttl}", route.lease_id)));
    }
    if let Some(expected) = route.expected_first_token_latency {
        lines.push(line("first token", &format!("in about {}", show_duration(expected))));
    }
    if let Some(tokens) = route.expected_cached_tokens {
        lines.push(line("cached", &format!("about {tokens} tokens of the prompt")));
    }
    if !route.policy.is_empty() {
        lines.push(line("policy", &route.policy));
    }
    if route.spilled {
        lines.push(line("spilled", "no node of the request's own class could take it"));
    }
    if route.repeated {
        lines.push(line("repeated", "this request was picked before"));
    }
    lines
}

fn rejection_lines(rejection: &Rejection) -> Vec<String> {
    let mut lines = vec![format!("rejected: {}", rejection.message)];
    if rejection.emptied_by() != proto::Filter::Unspecified {
        lines.push(line("filter", filter_name(rejection.emptied_by())));
    }
    lines.extend(rejection.over_limit.as_ref().map(limit_line));
    lines.push(line("again", &again(rejection)));
    lines
}

fn limit_line(over: &OverLimit) -> String {
    let OverLimit { rule, needed, remaining, limit, .. } = over;
    let unit = unit_name(over.unit());
    line("limit", &format!("{rule}: {needed} {unit} needed, {remaining} of {limit} left"))
}

/// When asking again can help.
fn again(rejection: &Rejection) -> String {
    let never_fits = rejection.over_limit.as_ref().is_some_and(|over| over.needed > over.limit);
    match rejection.retry_delay {
        Some(delay) => format!("in {}", show_duration(delay)),
        None if never_fits => "never as it is: it needs more than the limit admits at once".to_owned(),
        None => "when the fleet or the configuration has changed".to_owned(),
    }
}

#[cfg(test)]
mod tests;
