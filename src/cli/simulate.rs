//! `pointsman simulate`: how its results are shown.

#[cfg_attr(not(test), expect(dead_code, reason = "the command comes next"))]
mod chart;
#[cfg_attr(not(test), expect(dead_code, reason = "the command comes next"))]
mod json;
#[cfg_attr(not(test), expect(dead_code, reason = "the command comes next"))]
mod table;
mod words;

#[cfg(test)]
mod fixture;
