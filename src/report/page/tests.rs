//! What the page of a small run has.

use super::*;
use crate::report::failure::FaultLine;
use crate::report::told::example::{Element, Example, GETS, LAST, SENDS, elements};
use std::collections::BTreeSet;

fn page(example: &Example, shown: &[usize]) -> (String, Vec<Element>) {
    let text = example.told(shown, html);
    let elements = elements(&text);
    (text, elements)
}

#[test]
fn a_page_is_whole_and_needs_nothing_from_elsewhere() {
    for example in [Example::passed(), Example::broken(), Example::long(20)] {
        for shown in [example.all(), vec![SENDS, LAST], Vec::new()] {
            let (text, elements) = page(&example, &shown);
            let ids: Vec<&str> = elements.iter().map(|one| one.says("id")).filter(|id| !id.is_empty()).collect();
            let unique: BTreeSet<&str> = ids.iter().copied().collect();
            assert_eq!(ids.len(), unique.len(), "{ids:?}");
            for element in &elements {
                let target = element.says("href");
                assert!(
                    target.is_empty() || target.strip_prefix('#').is_some_and(|id| unique.contains(id)),
                    "{element:?}"
                );
                assert!(element.says("src").is_empty() && !matches!(element.name.as_str(), "link" | "img" | "iframe"));
                let named = element.says("aria-labelledby");
                assert!(named.is_empty() || unique.contains(named), "{element:?}");
                let causes = element.says("data-causes").split(' ').filter(|cause| !cause.is_empty());
                causes.for_each(|cause| assert!(unique.contains(format!("t{cause}").as_str()), "{element:?}"));
            }
            assert_eq!(text.matches("://").count(), text.matches("=\"http://www.w3.org/2000/svg\"").count());
            assert!(!text.contains("@import") && !text.contains("url("));
            let count = |name: &str| elements.iter().filter(|element| element.name == name).count();
            assert_eq!((count("h1"), count("table"), count("caption"), count("svg")), (1, 5, 5, 3));
            assert_eq!(elements[0].says("lang"), "en");
        }
    }
}

#[test]
fn a_page_tells_what_broke_and_how_to_see_it_again() {
    let (text, elements) = page(&Example::broken(), &Example::broken().all());
    for said in
        ["raft.election-safety is broken", "a term has &lt;one&gt; leader", "squall run &#39;a&amp;b.ron&#39; --seed 7"]
    {
        assert!(text.contains(said), "{said}");
    }
    let last = elements.iter().find(|element| element.says("id") == format!("t{LAST}")).expect("the last turn");
    assert!(last.is_of("broken"));
    let (text, elements) = page(&Example::passed(), &Example::passed().all());
    assert!(text.contains("nothing broke"));
    assert!(
        !elements
            .iter()
            .any(|element| ["broken", "bad", "halo", "end", "fact"].iter().any(|class| element.is_of(class)))
    );
}

#[test]
fn a_message_leads_to_where_it_came_from_and_to_where_it_went() {
    let (text, elements) = page(&Example::passed(), &Example::passed().all());
    let got = elements.iter().find(|element| element.says("id") == format!("t{GETS}")).expect("a turn");
    assert_eq!(got.says("data-causes"), format!("1 {SENDS}"));
    assert!(text.contains(&format!("<p>← <a href=\"#t{SENDS}\">n1</a> <code>")));
    assert!(text.contains(&format!("<p>→ <a href=\"#t{GETS}\">n2 &lt;&amp;&gt;</a> <code>")));
    assert!(text.contains("<p>→ n2 &lt;&amp;&gt; <i>lost</i> <code>Beat</code></p>"));
}

#[test]
fn the_table_of_faults_has_what_was_planned_and_what_came_of_it() {
    let mut example = Example::passed();
    example.faults.push(FaultLine { waits_for: Some("the fact Working".to_owned()), ..example.faults[0].clone() });
    let (text, _) = page(&example, &example.all());
    for row in [
        "<td>0.002s to 0.007s</td><td>0.002s</td><td>0.007s</td>",
        "<td>0.002s</td><td>0.008s</td><td>–</td>",
        "<td>from 0.002s on it waits for the fact Working</td><td>never</td><td>–</td>",
    ] {
        assert!(text.contains(row), "{row}");
    }
}
