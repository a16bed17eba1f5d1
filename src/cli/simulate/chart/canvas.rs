//! How is SVG written?
//!
//! Few shapes are needed, so there is no crate for them here. Numbers have one decimal: enough for the eye, and the same
//! bytes everywhere.

use std::fmt::Write as _;

/// What all is drawn on.
const PAPER: &str = "#ffffff";
const FONT: &str = "Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";

/// A picture that is being drawn; y grows downwards.
#[derive(Debug)]
pub(super) struct Canvas {
    body: String,
    width: f64,
}

/// How a text looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ink<'a> {
    size: u8,
    bold: &'static str,
    fill: &'a str,
    anchor: &'static str,
}

impl<'a> Ink<'a> {
    /// The headline.
    pub(super) const TITLE: Ink<'static> = Ink { size: 22, bold: "700", fill: "#1b1f24", anchor: "start" };
    /// Over each half of the picture.
    pub(super) const HEADING: Ink<'static> = Ink { size: 14, bold: "600", ..Self::TITLE };
    /// What explains.
    pub(super) const NOTE: Ink<'static> = Ink { size: 13, bold: "400", fill: "#57606a", anchor: "start" };
    /// On axes.
    pub(super) const TICK: Ink<'static> = Ink { size: 11, ..Self::NOTE };

    /// A policy's name in its colour.
    pub(super) fn name(fill: &'a str) -> Self {
        Self { size: 12, bold: "600", fill, anchor: "start" }
    }

    /// The same, ending at the given place.
    pub(super) fn ending(self) -> Self {
        Self { anchor: "end", ..self }
    }

    /// The same, around the given place.
    pub(super) fn centered(self) -> Self {
        Self { anchor: "middle", ..self }
    }

    /// About how wide a text is. What the font really does is known only where the picture is shown.
    pub(super) fn width(self, text: &str) -> f64 {
        0.58 * f64::from(self.size) * text.chars().count() as f64
    }
}

impl Canvas {
    /// An empty picture of this width.
    pub(super) fn new(width: f64) -> Self {
        Self { body: String::new(), width }
    }

    /// Writes a text, its base line at `y`.
    pub(super) fn text(&mut self, x: f64, y: f64, ink: Ink<'_>, text: &str) {
        let Ink { size, bold, fill, anchor } = ink;
        let text = escaped(text);
        self.put(format_args!(
            r#"<text x="{x:.1}" y="{y:.1}" font-size="{size}" font-weight="{bold}" fill="{fill}" text-anchor="{anchor}">{text}</text>"#
        ));
    }

    /// Draws a straight line.
    pub(super) fn line(&mut self, (x1, y1): (f64, f64), (x2, y2): (f64, f64), stroke: &str, width: f64) {
        self.put(format_args!(
            r#"<line x1="{x1:.1}" y1="{y1:.1}" x2="{x2:.1}" y2="{y2:.1}" stroke="{stroke}" stroke-width="{width:.1}"/>"#
        ));
    }

    /// Fills a rectangle.
    pub(super) fn rect(&mut self, (x, y): (f64, f64), (width, height): (f64, f64), fill: &str) {
        self.put(format_args!(
            r#"<rect x="{x:.1}" y="{y:.1}" width="{width:.1}" height="{height:.1}" fill="{fill}" shape-rendering="crispEdges"/>"#
        ));
    }

    /// Draws a dot with a thin rim of paper, so that it stands out of lines.
    pub(super) fn dot(&mut self, (x, y): (f64, f64), fill: &str) {
        self.put(format_args!(
            r#"<circle cx="{x:.1}" cy="{y:.1}" r="4.0" fill="{fill}" stroke="{PAPER}" stroke-width="1.5"/>"#
        ));
    }

    /// Draws a curve through points; `dash` is empty for a solid one.
    pub(super) fn curve(&mut self, points: &str, stroke: &str, dash: &str) {
        self.put(format_args!(
            r#"<polyline points="{points}" fill="none" stroke="{stroke}" stroke-width="2.2" stroke-linejoin="round" stroke-dasharray="{}"/>"#,
            if dash.is_empty() { "none" } else { dash }
        ));
    }

    /// Draws bars of one colour and height along a path.
    pub(super) fn bars(&mut self, path: &str, stroke: &str, height: f64) {
        self.put(format_args!(
            r#"<path d="{path}" stroke="{stroke}" stroke-width="{height:.1}" shape-rendering="crispEdges"/>"#
        ));
    }

    /// The whole document, of this height.
    pub(super) fn finish(self, height: f64, title: &str) -> String {
        let Self { body, width } = self;
        let title = escaped(title);
        format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
             viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"{FONT}\" role=\"img\">\n\
             <title>{title}</title>\n\
             <rect width=\"{width:.0}\" height=\"{height:.0}\" fill=\"{PAPER}\"/>\n{body}</svg>\n"
        )
    }

    fn put(&mut self, shape: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{shape}").expect("a string takes all");
    }
}

/// A text as XML can hold it: control characters cannot be written even escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            character if character.is_control() => escaped.push('\u{fffd}'),
            character => escaped.push(character),
        }
    }
    escaped
}
