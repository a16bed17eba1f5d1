use super::*;
use crate::sim::trace::Workload;

#[test]
fn each_request_is_in_one_part_with_its_session_and_blocks() {
    for workload in [Workload::Chat, Workload::Agents] {
        let trace = Trace::generate_rows(workload, 600, 3);
        let (early, late) = trace.split(0.66).expect("both have some");
        assert_eq!(early.rows.len() + late.rows.len(), trace.rows.len());
        let sessions =
            |part: &Trace| part.rows.iter().map(|row| (row.tenant, row.session)).collect::<Vec<_>>();
        assert!(sessions(&early).iter().all(|session| !sessions(&late).contains(session)));
        let content = |part: &Trace| {
            part.rows.iter().map(|row| (row.session, row.turn, part.blocks(row).to_vec())).collect::<Vec<_>>()
        };
        let mut both = [content(&early), content(&late)].concat();
        let mut whole = content(&trace);
        both.sort();
        whole.sort();
        assert_eq!(both, whole);
        assert!(late.duration() < trace.duration().mul_f64(0.35), "it starts at its own beginning");
    }
}

#[test]
fn a_trace_with_nothing_on_one_side_has_no_parts() {
    let trace = Trace::generate_rows(Workload::Chat, 50, 3);
    assert_eq!(trace.split(0.0), None);
    assert_eq!(trace.split(2.0), None);
}
