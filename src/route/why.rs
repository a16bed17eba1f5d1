//! Why did the decision come out as it did?

use super::{Scene, place::Seen};
use crate::domain::{
    degradation::Pool,
    explanation::{AnswerVerdict, Explanation, Verdict},
    limit::LimitVerdict,
    node::NodeClass,
};

/// Every stage's numbers. A decision that was made before the nodes were looked at says nothing of them.
pub fn explanation(
    seen: Option<&Seen<'_>>,
    limits: Vec<LimitVerdict>,
    answer: Option<AnswerVerdict>,
    pool: Option<Pool>,
    scene: Scene<'_>,
) -> Box<Explanation> {
    let ids = scene.topology.nodes.iter().map(|node| node.spec.id.clone());
    let verdicts = seen.map(verdicts).unwrap_or_default();
    Box::new(Explanation {
        balance: seen.map_or(scene.policy.balance, |seen| seen.balance).name(),
        class: seen.map_or(NodeClass::Normal, |seen| seen.filtered.class),
        revision: scene.topology.revision,
        nodes: ids.zip(verdicts).filter_map(|(id, verdict)| Some((id, verdict?))).collect(),
        limits,
        answer,
        pool,
    })
}

/// What became of each node, in order of their ids.
fn verdicts(seen: &Seen<'_>) -> Vec<Option<Verdict>> {
    let mut verdicts: Vec<_> =
        seen.filtered.dropped.iter().map(|filter| filter.map(Verdict::Dropped)).collect();
    for (rank, scored) in seen.ranked.iter().enumerate() {
        verdicts[scored.index] = Some(Verdict::Scored(scored.score, rank));
    }
    verdicts
}
