//! The two forms of a transcript: a document of named scenarios, and random sequences, one a line.

use super::Refusal;
use serde_json::{Map, Value};

/// A scenario of a document, or a line of random steps.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Part {
    /// `scenario "name"` or `seed 7`.
    pub(super) place: String,
    /// What holds for all of it: its own fields, and, for a scenario, those of the document.
    pub(super) settings: Map<String, Value>,
    /// The steps, in their order.
    pub(super) steps: Vec<Value>,
}

impl Refusal {
    /// A complaint about one step of a part; steps count from 0.
    pub(super) fn at(part: &str, step: usize, message: impl Into<String>) -> Refusal {
        Refusal { place: format!("{part}, step {step}"), message: message.into() }
    }

    /// A complaint about a place that is no step.
    pub(super) fn of(place: impl Into<String>, message: impl Into<String>) -> Refusal {
        Refusal { place: place.into(), message: message.into() }
    }
}

/// Takes a transcript apart, in whichever of the two forms it is.
///
/// # Errors
/// If it is neither, with the line or the scenario that is wrong.
pub(super) fn parts(text: &str) -> Result<Vec<Part>, Refusal> {
    if text.trim().is_empty() {
        return Err(Refusal::of("", "nothing is in it"));
    }
    match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(document)) if document.contains_key("scenarios") => scenarios(document),
        Ok(Value::Object(line)) if line.contains_key("steps") => Ok(vec![part(line, "line 1")?]),
        Ok(_) => Err(Refusal::of("", "neither `scenarios` nor lines with `steps` are in it")),
        Err(document) => lines(text, &document),
    }
}

fn scenarios(mut document: Map<String, Value>) -> Result<Vec<Part>, Refusal> {
    let Some(Value::Array(scenarios)) = document.remove("scenarios") else {
        return Err(Refusal::of("", "`scenarios` is no list"));
    };
    let one = |(number, scenario)| {
        let place = format!("scenario {number}");
        let Value::Object(scenario) = scenario else { return Err(Refusal::of(place, "no object")) };
        let mut part = part(scenario, &place)?;
        for (name, value) in &document {
            part.settings.entry(name.clone()).or_insert_with(|| value.clone());
        }
        Ok(part)
    };
    scenarios.into_iter().enumerate().map(one).collect()
}

fn lines(text: &str, document: &serde_json::Error) -> Result<Vec<Part>, Refusal> {
    let mut parts = Vec::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let place = format!("line {number}");
        match serde_json::from_str::<Value>(line) {
            Ok(Value::Object(line)) => parts.push(part(line, &place)?),
            Ok(_) => return Err(Refusal::of(place, "no object")),
            // A document that spans lines fails in its first line already: then its own error says more.
            Err(_) if parts.is_empty() => return Err(Refusal::of("", format!("not JSON: {document}"))),
            Err(error) => return Err(Refusal::of(place, format!("not JSON: {error}"))),
        }
    }
    Ok(parts)
}

fn part(mut fields: Map<String, Value>, place: &str) -> Result<Part, Refusal> {
    let place = match (fields.get("name"), fields.get("seed")) {
        (Some(Value::String(name)), _) => format!("scenario \"{name}\""),
        (_, Some(Value::Number(seed))) => format!("seed {seed}"),
        _ => place.to_owned(),
    };
    match fields.remove("steps") {
        Some(Value::Array(steps)) => Ok(Part { place, settings: fields, steps }),
        Some(_) => Err(Refusal::of(place, "`steps` is no list")),
        None => Err(Refusal::of(place, "`steps` is missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_told_apart_by_what_they_hold() {
        let document = "{\"server\": \"x\",\n\"scenarios\": [{\"name\": \"a\", \"steps\": [1]}]}";
        let found = parts(document).expect("a document");
        assert_eq!((found[0].place.as_str(), found[0].steps.len()), ("scenario \"a\"", 1));
        assert_eq!(found[0].settings["server"], "x");
        let lines = "{\"seed\": 0, \"steps\": []}\n\n{\"seed\": 1, \"steps\": [1, 2]}\n";
        let found = parts(lines).expect("lines");
        assert_eq!((found[1].place.as_str(), found[1].steps.len()), ("seed 1", 2));
        assert_eq!(parts("{\"seed\": 5, \"steps\": []}").expect("a line")[0].place, "seed 5");
    }

    #[test]
    fn what_cannot_be_understood_has_a_place() {
        for (text, place, part) in [
            ("", "", "nothing is in it"),
            ("[]", "", "neither"),
            ("{", "", "not JSON: EOF"),
            ("{\"scenarios\": 3}", "", "no list"),
            ("{\"scenarios\": [{\"name\": \"a\"}]}", "scenario \"a\"", "`steps` is missing"),
            ("{\"scenarios\": [7]}", "scenario 0", "no object"),
            ("{\"seed\": 0, \"steps\": []}\n{\"seed\": 1, \"steps\": 3}", "seed 1", "no list"),
            ("{\"seed\": 0, \"steps\": []}\n{\"seed\"", "line 2", "not JSON"),
        ] {
            let refusal = parts(text).expect_err("it is refused");
            assert!(refusal.place == place && refusal.message.contains(part), "{text}: {refusal:?}");
        }
    }
}
