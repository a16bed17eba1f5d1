use super::*;

fn values(page: &str, name: &str) -> Vec<f64> {
    Page(page).samples(name).into_iter().map(|sample| sample.value).collect()
}

#[test]
fn reads_names_with_colons() {
    let page = "# HELP llamacpp:requests_processing Requests.\n\
                # TYPE llamacpp:requests_processing gauge\n\
                llamacpp:requests_processing 2\n";
    assert_eq!(values(page, "llamacpp:requests_processing"), [2.0]);
}

#[test]
fn one_name_is_not_the_beginning_of_another() {
    let page = "a 1\na_total 2\na{x=\"1\"} 3\n";
    assert_eq!(values(page, "a"), [1.0, 3.0]);
}

#[test]
fn odd_lines_cost_only_themselves() {
    let page = "good 1\ngarbage {{{ \"\ngood{broken 2\ngood 3 1700000000000\r\n\n# EOF\ngood 1.5e+01\ngood NaN\ngood +Inf\n";
    assert_eq!(values(page, "good"), [1.0, 3.0, 15.0]);
}

#[test]
fn labels_are_told() {
    let page = "m{model=\"a, b\",le=\"+Inf\"} 4\n";
    let labels = &Page(page).samples("m")[0].labels;
    assert_eq!(labels[0], ("model".to_owned(), "a, b".to_owned()));
    assert_eq!(labels[1], ("le".to_owned(), "+Inf".to_owned()));
}
