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
    let values = values(page, "good");
    assert_eq!(values[..3], [1.0, 3.0, 15.0]);
    assert!(values[3].is_nan(), "whoever asks must see that the number is none");
    assert_eq!(values[4..], [f64::INFINITY]);
}

#[test]
fn labels_are_told() {
    let page = "m{model=\"a, b\",le=\"+Inf\"} 4\n";
    let labels = &Page(page).samples("m")[0].labels;
    assert_eq!(labels[0], ("model".to_owned(), "a, b".to_owned()));
    assert_eq!(labels[1], ("le".to_owned(), "+Inf".to_owned()));
}

#[test]
fn labels_come_in_every_shape_that_the_format_allows() {
    let lines =
        ["m 7", "  m 7", "m\t7", "m{} 7", "m{ } 7", "m{a=\"\"} 7", "m{a=\"b\",} 7", "m { a = \"b\" , } 7"];
    for line in lines {
        assert_eq!(values(line, "m"), [7.0], "of {line:?}");
    }
}

#[test]
fn labels_are_unescaped() {
    for (written, meant) in
        [(r"C:\\new", r"C:\new"), (r#"x\"},y"#, "x\"},y"), (r"a\nb", "a\nb"), ("x}y", "x}y"), (r"\\", r"\")]
    {
        let line = format!("m{{a=\"{written}\"}} 7");
        let samples = Page(&line).samples("m");
        assert_eq!(samples[0].labels, [("a".to_owned(), meant.to_owned())], "of {line}");
    }
}
