//! Why a decision came out as it did, as it is told.

use super::{decision::rung, rejection::unit};
use crate::{
    domain::{
        degradation::Pool,
        explanation::{AnswerVerdict, CostTerms, Explanation, Score, Verdict},
        filter::Filter,
        id::NodeId,
        limit::{Fit, LimitVerdict, Mode},
    },
    proto, wire,
};

/// Every stage's numbers.
pub fn explanation(explanation: Explanation) -> proto::Explanation {
    proto::Explanation {
        balance: explanation.balance.to_owned(),
        node_class: wire::class(explanation.class).into(),
        topology_revision: explanation.revision.cast_signed(),
        nodes: explanation.nodes.into_iter().map(|(id, verdict)| node_verdict(&id, &verdict)).collect(),
        limits: explanation.limits.iter().map(limit_verdict).collect(),
        answer: explanation.answer.map_or(proto::AnswerVerdict::Unspecified, answer_verdict).into(),
        pool: explanation.pool.as_ref().map(pool_verdict),
    }
}

fn answer_verdict(verdict: AnswerVerdict) -> proto::AnswerVerdict {
    match verdict {
        AnswerVerdict::Fresh => proto::AnswerVerdict::Fresh,
        AnswerVerdict::Stale => proto::AnswerVerdict::Stale,
        AnswerVerdict::Pending => proto::AnswerVerdict::Pending,
        AnswerVerdict::Miss => proto::AnswerVerdict::Miss,
    }
}

fn limit_verdict(verdict: &LimitVerdict) -> proto::LimitVerdict {
    proto::LimitVerdict {
        rule: verdict.rule.to_string(),
        unit: unit(verdict.quota.unit()).into(),
        limit: verdict.quota.burst().get().into(),
        remaining: i64::try_from(verdict.remaining).unwrap_or(i64::MAX),
        needed: verdict.cost.into(),
        admitted: verdict.fit == Fit::Now,
        shadow: verdict.mode == Mode::Shadow,
    }
}

fn pool_verdict(pool: &Pool) -> proto::PoolVerdict {
    proto::PoolVerdict {
        load: pool.load,
        demand: pool.demand,
        node_count: i32::try_from(pool.nodes).unwrap_or(i32::MAX),
        rung: rung(pool.rung).into(),
    }
}

fn node_verdict(id: &NodeId, verdict: &Verdict) -> proto::NodeVerdict {
    use proto::node_verdict::Verdict as Wire;
    let verdict = match verdict {
        Verdict::Dropped(by) => {
            Wire::Drop(proto::Drop { filter: filter(*by).into(), message: dropped(*by).to_owned() })
        }
        Verdict::Scored(numbers, rank) => Wire::Score(score(numbers, *rank)),
    };
    proto::NodeVerdict { node_id: id.to_string(), verdict: Some(verdict) }
}

fn score(score: &Score, rank: usize) -> proto::Score {
    proto::Score {
        cost: score.cost,
        rank: i32::try_from(rank).unwrap_or(i32::MAX),
        load: score.load.total(),
        cpu_term: score.load.cpu,
        memory_term: score.load.memory,
        queue_term: score.load.queue,
        failure_term: score.load.failures,
        queued_request_count: score.queued.into(),
        in_flight_request_count: score.in_flight.into(),
        slow_start_ratio: score.slow_start,
        cost_terms: score.terms.map(cost_terms),
        expected_cached_tokens: score.cached_tokens.map(i64::from),
    }
}

fn cost_terms(terms: CostTerms) -> proto::CostTerms {
    proto::CostTerms {
        wait_ms: terms.wait,
        own_ms: terms.own,
        price_ms: terms.price,
        batching_ms: terms.batching,
        drag_ms: terms.drag,
        eviction_ms: terms.eviction,
        adapter_ms: terms.adapter,
        lateness_ms: terms.lateness,
    }
}

fn dropped(filter: Filter) -> &'static str {
    match filter {
        Filter::RequestType => "has no endpoint for the request type",
        Filter::Model => "does not serve the model",
        Filter::ModelVersion => "does not serve this version of the model",
        Filter::Class => "is of the other class",
        Filter::Excluded => "was excluded by the caller",
        Filter::Drain => "is draining",
        Filter::Breaker => "is ejected after failures, or being tried",
        Filter::Freshness => "gave no sign of life in time",
    }
}

/// A filter.
pub fn filter(filter: Filter) -> proto::Filter {
    match filter {
        Filter::RequestType => proto::Filter::RequestType,
        Filter::Model => proto::Filter::Model,
        Filter::ModelVersion => proto::Filter::ModelVersion,
        Filter::Class => proto::Filter::NodeClass,
        Filter::Excluded => proto::Filter::Excluded,
        Filter::Drain => proto::Filter::Drain,
        Filter::Breaker => proto::Filter::Breaker,
        Filter::Freshness => proto::Filter::Freshness,
    }
}
