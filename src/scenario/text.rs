//! Plain data as RON: written, and read back with every mistake told as one in a scenario is.

use super::diagnostic::{Diagnostic, Source};
use super::explain::{explain, flaw};
use super::load::{check_version, decode};
use super::locate::{Tree, path};
use ron::extensions::Extensions;
use ron::ser::PrettyConfig;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// How RON is written and read here: without `Some`, and without a second pair of brackets around a struct in
/// an enum or in a newtype.
pub fn options() -> ron::Options {
    let extensions = Extensions::IMPLICIT_SOME | Extensions::UNWRAP_NEWTYPES | Extensions::UNWRAP_VARIANT_NEWTYPES;
    ron::Options::default().with_default_extension(extensions)
}

/// The data as RON. What is deeper than `depth` and belongs together stands on one line.
///
/// # Panics
/// If the data cannot be written as RON: it has a map without a fixed shape inside a flattened struct, say.
pub fn written(data: &impl Serialize, depth: usize) -> String {
    let pretty = PrettyConfig::new().depth_limit(depth);
    options().to_string_pretty(data, pretty).expect("plain data can be written as RON")
}

/// The value at a path such as `plan.engine`, as it is written, of a text that need not be understood otherwise.
pub fn glimpse<'a>(bytes: &'a [u8], place: &str) -> Option<&'a str> {
    let text = std::str::from_utf8(bytes).ok()?;
    Tree::of(text).find(&path(place)).map(|node| &text[node.span.clone()])
}

/// Reads data that begins with `squall: 1`, as scenarios, plans and all that hold them do.
///
/// # Errors
/// The first mistake, with its place and a cure.
pub fn read<T: DeserializeOwned>(name: &str, bytes: Vec<u8>) -> Result<T, Diagnostic> {
    let source = decode(name, bytes)?;
    check_version(&source)?;
    parse(&source)
}

/// Reads data from a text whose version is known.
pub(super) fn parse<T: DeserializeOwned>(source: &Source) -> Result<T, Diagnostic> {
    if let Some(flaw) = flaw(source) {
        return Err(flaw);
    }
    options().from_str(&source.text).map_err(|error| explain::<T>(source, &error))
}
