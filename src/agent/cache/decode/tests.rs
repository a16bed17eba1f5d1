use proptest::prelude::*;

use super::*;

/// A message as vLLM sends it: topic, sequence number, and time and events.
fn frames(sequence: u64, events: Vec<Value>) -> Vec<Vec<u8>> {
    framed(sequence, &Value::Array(vec![Value::F64(1.5), Value::Array(events), Value::Nil]))
}

fn framed(sequence: u64, batch: &Value) -> Vec<Vec<u8>> {
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, batch).expect("memory takes all");
    vec![b"kv".to_vec(), sequence.to_be_bytes().to_vec(), bytes]
}

fn map(fields: &[(&str, Value)]) -> Value {
    Value::Map(fields.iter().map(|(name, value)| ((*name).into(), value.clone())).collect())
}

fn list<T: Into<Value> + Clone>(items: &[T]) -> Value {
    Value::Array(items.iter().cloned().map(Into::into).collect())
}

fn event(value: Value) -> Option<Event> {
    let batch = decode(&frames(3, vec![value])).expect("it is well-formed");
    assert_eq!(batch.sequence, 3);
    batch.events.into_iter().next()
}

fn numbers(blocks: &[u64]) -> Vec<EngineBlock> {
    blocks.iter().map(|block| EngineBlock::Number(*block)).collect()
}

#[test]
fn events_are_maps_or_arrays() {
    let stored = Stored {
        parent: Some(EngineBlock::Number(9)),
        blocks: numbers(&[u64::MAX, 2]),
        tokens: vec![10, 11, 12, 13],
        adapter: None,
        keys: vec![Vec::new(); 2],
    };
    let fields = [
        ("type", "BlockStored".into()),
        ("block_hashes", list(&[u64::MAX, 2])),
        ("parent_block_hash", 9.into()),
        ("token_ids", list(&[10, 11, 12, 13])),
        ("block_size", 2.into()),
        ("lora_id", Value::Nil),
        ("medium", "GPU".into()),
        ("something_new", 1.into()),
    ];
    assert_eq!(event(map(&fields)), Some(Event::Stored(stored.clone())));
    let parts = [list(&[u64::MAX, 2]), 9.into(), list(&[10, 11, 12, 13]), 2.into(), Value::Nil];
    let array = Value::Array([vec!["BlockStored".into()], parts.to_vec()].concat());
    assert_eq!(event(array), Some(Event::Stored(stored)));
    let removed = Value::Array(vec!["BlockRemoved".into(), list(&[4, 5])]);
    assert_eq!(event(removed), Some(Event::Removed(numbers(&[4, 5]))));
    assert_eq!(event(map(&[("type", "AllBlocksCleared".into())])), Some(Event::Cleared));
}

/// Releases since the end of arrays.
#[test]
fn a_batch_may_be_a_map_too() {
    let events = list(&[map(&[("type", "AllBlocksCleared".into())])]);
    let fields = [("ts", Value::F64(1.5)), ("events", events), ("data_parallel_rank", 0.into())];
    let batch = decode(&framed(7, &map(&fields))).expect("it is well-formed");
    assert_eq!(batch, Batch { sequence: 7, events: vec![Event::Cleared] });
    assert_eq!(decode(&framed(7, &map(&fields[..1]))), Err(NoBatch::Payload));
}

/// Releases that sent arrays came to tell more at their end.
#[test]
fn arrays_tell_as_much_as_maps() {
    let stored = |medium: &str, lora: Value, salt: &str, group: u64| {
        let keys = Value::Array(vec![list(&[salt])]);
        event(Value::Array(vec![
            "BlockStored".into(),
            list(&[1]),
            Value::Nil,
            list(&[10, 11]),
            2.into(),
            1.into(),
            medium.into(),
            lora,
            keys,
            group.into(),
        ]))
    };
    let Some(Event::Stored(told)) = stored("GPU", "poet".into(), "acme", 0) else { panic!("it is stored") };
    let salt = ExtraKey::Text("acme".into());
    assert_eq!((told.adapter.as_deref(), &told.keys), (Some("poet"), &vec![vec![salt.clone()]]));
    let Some(Event::Stored(told)) = stored("GPU", Value::Nil, "acme", 0) else { panic!("it is stored") };
    assert_eq!(told.keys, [[salt, ExtraKey::Other]], "nobody knows which adapter it is");
    assert_eq!(stored("CPU", Value::Nil, "acme", 0), None);
    assert_eq!(stored("GPU", Value::Nil, "acme", 1), None);
    let removed = |medium: Value, group: u64| {
        event(Value::Array(vec!["BlockRemoved".into(), list(&[4]), medium, group.into()]))
    };
    assert_eq!(removed("GPU".into(), 0), Some(Event::Removed(numbers(&[4]))));
    assert_eq!(removed(Value::Nil, 0), Some(Event::Removed(numbers(&[4]))));
    assert_eq!(removed("CPU".into(), 0), None, "the GPU has it still");
    assert_eq!(removed("GPU".into(), 1), None);
}

#[test]
fn a_block_with_copies_left_is_not_gone() {
    let removed = |copies: &[u64]| {
        let fields = [("type", "BlockRemoved".into()), ("block_hashes", list(&[4, 5, 6]))];
        event(map(&[&fields[..], &[("remaining_copy_counts", list(copies))]].concat()))
    };
    assert_eq!(removed(&[0, 2, 0]), Some(Event::Removed(numbers(&[4, 6]))));
    assert_eq!(removed(&[1]), Some(Event::Removed(numbers(&[5, 6]))), "it says nothing of the others");
}

#[test]
fn blocks_may_be_named_by_bytes_or_by_negative_numbers() {
    let names = Value::Array(vec![Value::Binary(vec![1, 2]), Value::from(-1)]);
    let named = vec![EngineBlock::Bytes([1, 2].into()), EngineBlock::Number(u64::MAX)];
    assert_eq!(
        event(map(&[("type", "BlockRemoved".into()), ("block_hashes", names)])),
        Some(Event::Removed(named))
    );
}

#[test]
fn what_tells_blocks_apart_is_read() {
    let keys =
        Value::Array(vec![list(&["poet", "acme"]), Value::Nil, Value::Array(vec![Value::Map(Vec::new())])]);
    let fields = [
        ("type", "BlockStored".into()),
        ("block_hashes", list(&[1, 2, 3])),
        ("parent_block_hash", Value::Nil),
        ("token_ids", list(&[1, 2, 3])),
        ("lora_name", "poet".into()),
        ("extra_keys", keys),
    ];
    let Some(Event::Stored(stored)) = event(map(&fields)) else { panic!("it is stored") };
    let text = |text: &str| ExtraKey::Text(text.into());
    assert_eq!(stored.adapter.as_deref(), Some("poet"));
    assert_eq!(stored.keys, [vec![text("poet"), text("acme")], vec![], vec![ExtraKey::Other]]);
}

#[test]
fn what_is_of_no_use_is_passed_over() {
    let stored = |name: &str, value: Value| {
        let mut fields = vec![
            ("type", "BlockStored".into()),
            ("block_hashes", list(&[1, 2])),
            ("parent_block_hash", Value::Nil),
            ("token_ids", list(&[1, 2])),
        ];
        fields.retain(|(known, _)| *known != name);
        fields.push((name, value));
        event(map(&fields))
    };
    assert!(stored("medium", "GPU".into()).is_some());
    assert_eq!(stored("medium", "CPU_PINNED".into()), None);
    assert_eq!(stored("group_idx", 1.into()), None);
    assert_eq!(stored("type", "SomethingNew".into()), None);
    assert_eq!(stored("token_ids", list(&[1, 2, 3])), None);
    assert_eq!(stored("token_ids", list(&[1, -2])), None);
    assert_eq!(stored("block_hashes", list(&["x"])), None);
    assert_eq!(stored("block_hashes", Value::Array(Vec::new())), None);
    assert_eq!(stored("parent_block_hash", "x".into()), None);
    assert_eq!(event(Value::Nil), None);
}

#[test]
fn what_is_no_such_message_is_an_error() {
    let good = frames(1, Vec::new());
    assert_eq!(decode(&good[2..]), Err(NoBatch::Frames));
    assert_eq!(decode(&[b"".to_vec(), b"short".to_vec(), good[2].clone()]), Err(NoBatch::Frames));
    assert_eq!(decode(&[good[0].clone(), good[1].clone(), b"\xc1".to_vec()]), Err(NoBatch::Payload));
    let long = vec![0; BYTES_MAX + 1];
    assert_eq!(decode(&[good[0].clone(), good[1].clone(), long]), Err(NoBatch::TooLong));
    let deep = [vec![0x91; 1000], vec![0xc0]].concat();
    assert_eq!(decode(&[good[0].clone(), good[1].clone(), deep]), Err(NoBatch::Payload));
}

proptest! {
    #[test]
    fn no_bytes_break_it(payload in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..100) {
        let _ = decode(&[b"kv".to_vec(), vec![0; 8], payload]);
        let mut good = frames(1, vec![map(&[("type", "BlockStored".into()), ("block_hashes", list(&[1, 2]))])]);
        good[2].truncate(cut);
        let _ = decode(&good);
    }
}
