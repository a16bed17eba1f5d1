//! Can answers be stored and kept like this?

use super::super::Checks;
use crate::{
    config::raw::policy::answers::Answers,
    domain::{
        answer::policy::{AnswerPolicy, UsualTtl},
        load::Ratio,
    },
};

/// What a message that stores an answer holds besides it, in bytes: its names take a quarter of that.
const ROOM: usize = 4096;

/// Checks the section `policy.answers`; `answer_bytes_max` is the server's.
pub(super) fn answers(raw: &Answers, answer_bytes_max: usize, checks: &mut Checks) -> Option<AnswerPolicy> {
    fitting(raw, answer_bytes_max, checks);
    for (name, ttl) in raw.ttl.all() {
        checks.at_most("policy.answers", (&format!("ttl.{name}"), ttl), ("ttl_max", raw.ttl_max));
    }
    let jitter = checks.check("policy.answers.jitter", Ratio::try_new(raw.jitter));
    Some(AnswerPolicy {
        bytes_max: raw.bytes_max,
        body_bytes_max: raw.body_bytes_max,
        reference_bytes_max: raw.reference_bytes_max,
        usual: UsualTtl {
            text: raw.ttl.text.0,
            image: raw.ttl.image.0,
            audio: raw.ttl.audio.0,
            embedding: raw.ttl.embedding.0,
            video: raw.ttl.video.0,
            rerank: raw.ttl.rerank.0,
        },
        fact: raw.ttl.fact.0,
        live: raw.ttl.live.0,
        ttl_max: raw.ttl_max.0,
        jitter: jitter?,
        stale_for: raw.stale_for.0,
        store_grace: raw.store_grace.0,
        leaders_max: raw.leaders_max,
    })
}

/// Refuses answers that could not arrive. Where none is kept (0) any message is large enough.
fn fitting(raw: &Answers, answer_bytes_max: usize, checks: &mut Checks) {
    let most = answer_bytes_max.saturating_sub(ROOM);
    if raw.body_bytes_max > most {
        let what = format!(
            "`{}` leaves less than {ROOM} bytes of `server.answer_bytes_max`, which is `{answer_bytes_max}`",
            raw.body_bytes_max
        );
        let hint = format!(
            "lower it to {most}, or raise `server.answer_bytes_max`: names, and the canonical request if it is \
             sent along, must fit into the same message"
        );
        checks.refuse_with("policy.answers.body_bytes_max", what, hint);
    }
}
