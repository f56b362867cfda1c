//! Names of members: they must exist, and not stand there twice.

use super::super::diagnostic::{Complaint, one_of};

/// What is wrong with a list of names at this place.
pub(super) fn named(names: &[String], members: &[String], list: &str, found: &mut Vec<Complaint>) {
    for (index, name) in names.iter().enumerate() {
        let place = format!("{list}[{index}]");
        if names[..index].contains(name) {
            found.push(Complaint::at(&place, format!("node {name:?} is named twice"), "remove one of them"));
        } else {
            member(name, members, &place, found);
        }
    }
}

/// What is wrong with one name.
pub(super) fn member(name: &str, members: &[String], place: &str, found: &mut Vec<Complaint>) {
    if members.iter().any(|member| member == name) {
        return;
    }
    let cure = match members {
        [] => "the system has none".to_owned(),
        members if members.len() > 9 => {
            format!("write a name from {:?} to {:?}", members[0], members[members.len() - 1])
        }
        // Every name of a node resembles every other: only case is surely a slip.
        members => match members.iter().find(|member| member.eq_ignore_ascii_case(name)) {
            Some(member) => format!("did you mean `{member}`?"),
            None => format!("write {}", one_of(members)),
        },
    };
    found.push(Complaint::at(place, format!("there is no node {name:?}"), cure));
}
