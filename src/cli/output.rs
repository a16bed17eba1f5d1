//! How results are printed: for people, or as JSON (of replies, the proto3 JSON mapping).

use std::io::{self, Write};

use clap::ValueEnum;
use comfy_table::{CellAlignment, Table, presets::UTF8_FULL_CONDENSED};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, SerializeOptions};
use serde::Serialize;

use super::fault::Fault;
use crate::proto::FILE_DESCRIPTOR_SET;

/// Shape of the results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Tables and sentences; `table` means the same.
    #[value(alias = "table")]
    Human,
    /// One JSON document.
    Json,
    /// A picture, of `simulate` alone.
    Svg,
}

/// Where results go.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    format: Format,
}

impl Output {
    /// Prints results in this shape.
    pub fn new(format: Format) -> Self {
        Self { format }
    }

    /// The shape.
    pub fn format(self) -> Format {
        self.format
    }

    /// Whether people read it.
    pub fn is_human(self) -> bool {
        self.format == Format::Human
    }

    /// Prints a reply, whose full name within `pointsman.v1` is `name`.
    pub fn reply<M: Message>(
        &self,
        name: &str,
        reply: &M,
        human: impl FnOnce(&M) -> String,
    ) -> Result<(), Fault> {
        match self.format {
            Format::Human => print(&human(reply)),
            Format::Svg => Err(no_picture()),
            Format::Json => print(&pretty(&proto_json(name, reply)?)),
        }
    }

    /// Prints something that is no reply.
    pub fn value<T: Serialize>(&self, value: &T, human: impl FnOnce(&T) -> String) -> Result<(), Fault> {
        match self.format {
            Format::Human => print(&human(value)),
            Format::Svg => Err(no_picture()),
            Format::Json => {
                let json = serde_json::to_value(value);
                print(&pretty(
                    &json.map_err(|error| Fault::new("cannot write the result as JSON").because(error))?,
                ))
            }
        }
    }
}

fn no_picture() -> Fault {
    Fault::new("only `simulate` can be shown as a picture: choose `human` or `json`")
}

/// A message by the proto3 JSON mapping; fields of default value are left out where they have no presence.
pub fn proto_json<M: Message>(name: &str, message: &M) -> Result<serde_json::Value, Fault> {
    let failed = |what: &str| Fault::new(format!("cannot write `{name}` as JSON: {what}"));
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).map_err(|error| failed(&error.to_string()))?;
    let descriptor =
        pool.get_message_by_name(&format!("pointsman.v1.{name}")).ok_or_else(|| failed("no such message"))?;
    let dynamic = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice());
    let options = SerializeOptions::new().skip_default_fields(true);
    let json = dynamic.map_err(|error| failed(&error.to_string()))?;
    json.serialize_with_options(serde_json::value::Serializer, &options)
        .map_err(|error| failed(&error.to_string()))
}

fn pretty(json: &serde_json::Value) -> String {
    format!("{json:#}")
}

/// An empty table. Columns after the first `texts` hold numbers and are aligned to the right.
pub fn table<'a>(headers: impl IntoIterator<Item = &'a str>, texts: usize) -> Table {
    let mut table = Table::new();
    table.load_preset(UTF8_FULL_CONDENSED);
    table.set_header(headers);
    for column in table.column_iter_mut().skip(texts) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// Prints a result. A reader that has gone away (`| head`) is no error.
pub fn print(text: &str) -> Result<(), Fault> {
    match writeln!(io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Fault::new("cannot write to standard output").because(error))
        }
        _ => Ok(()),
    }
}

/// Prints an error.
pub fn complain(fault: &Fault) {
    // If even that fails there is nobody to tell.
    let _ = writeln!(io::stderr().lock(), "{fault}");
}

#[cfg(test)]
mod tests;
