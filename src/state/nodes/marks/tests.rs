use super::*;

fn taken(marks: &Marks) -> Vec<usize> {
    let mut places = Vec::new();
    marks.take(|place, _| places.push(place));
    places
}

#[test]
fn a_mark_is_taken_once_on_every_board() {
    let boards = [Arc::new(Marks::new(200)), Arc::new(Marks::new(3))];
    let (watch, other) = (Watch::default(), Watch::default());
    watch.join(&boards[0], 130);
    watch.join(&boards[1], 2);
    other.join(&boards[0], 0);
    watch.changed(Change::Any);
    watch.changed(Change::Any);
    other.changed(Change::Any);
    assert_eq!(taken(&boards[0]), [0, 130]);
    assert_eq!(taken(&boards[1]), [2]);
    assert!(taken(&boards[0]).is_empty());
}

#[test]
fn a_board_that_is_gone_is_left_when_the_next_is_joined() {
    let (old, new) = (Arc::new(Marks::new(1)), Arc::new(Marks::new(1)));
    let watch = Watch::default();
    watch.join(&old, 0);
    old.retire();
    watch.join(&new, 0);
    assert_eq!(Arc::strong_count(&old), 1, "nobody holds it any more");
    watch.changed(Change::Any);
    assert_eq!(taken(&new), [0]);
}

#[test]
fn a_node_to_which_anything_happened_is_told_once_and_so() {
    let marks = Arc::new(Marks::new(70));
    let (watch, other) = (Watch::default(), Watch::default());
    watch.join(&marks, 65);
    other.join(&marks, 1);
    watch.changed(Change::Sums);
    watch.changed(Change::Any);
    other.changed(Change::Sums);
    let mut told = Vec::new();
    marks.take(|place, change| told.push((place, change)));
    assert_eq!(told, [(1, Change::Sums), (65, Change::Any)]);
}

/// More nodes than one word says of which words are marked.
#[test]
fn of_a_large_board_each_mark_is_found() {
    let marks = Arc::new(Marks::new(3 * BITS * BITS));
    let marked = [0, BITS - 1, BITS * BITS - 1, BITS * BITS, 3 * BITS * BITS - 1];
    for place in marked {
        marks.mark(u32::try_from(place).expect("it is small"), Change::Any);
    }
    assert_eq!(taken(&marks), marked);
    assert!(taken(&marks).is_empty());
}
