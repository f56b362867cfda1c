//! Which paths are well formed, and what is the parent of what.

use super::error::Error;

/// Nodes that the server itself needs: they cannot be deleted.
const SPECIAL: [&str; 4] = ["/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config"];

/// Checks a path by the rules for the nodes of a tree.
///
/// A path begins with a slash, does not end with one (but for `/` itself), has no empty name and none that
/// is `.` or `..`, and no control characters, surrogates or specials.
///
/// Source: `PathUtils.validatePath`.
///
/// # Errors
///
/// [`Error::BadArguments`].
pub fn validate(path: &str) -> Result<(), Error> {
    let Some(names) = path.strip_prefix('/') else { return Err(Error::BadArguments) };
    let good = |name: &str| !matches!(name, "" | "." | "..") && name.chars().all(is_allowed);
    if names.is_empty() || names.split('/').all(good) { Ok(()) } else { Err(Error::BadArguments) }
}

/// Java looks at units of UTF-16. A character beyond the first plane is two surrogates, and those below
/// U+F8FF are refused.
fn is_allowed(character: char) -> bool {
    match character {
        '\0'..='\x1f' | '\x7f'..='\u{9f}' | '\u{e000}'..='\u{f8ff}' | '\u{fff0}'..='\u{ffff}' => false,
        // The leading surrogate of any of these is refused.
        '\u{10000}'.. => false,
        _ => true,
    }
}

/// The path of the parent ("" for a child of the root) and the node's own name.
///
/// # Errors
///
/// [`Error::BadArguments`] if the path has no slash, or a zero character. Nothing else is looked at.
/// Source: `PrepRequestProcessor.validatePathForCreate`.
pub fn split(path: &str) -> Result<(&str, &str), Error> {
    if path.contains('\0') {
        return Err(Error::BadArguments);
    }
    path.rsplit_once('/').ok_or(Error::BadArguments)
}

/// Whether this is one of the nodes that the server itself needs. Source: `DataTree.isSpecialPath`.
pub fn is_special(path: &str) -> bool {
    SPECIAL.contains(&path)
}

/// The path of a parent as watches and clients know it.
pub(super) fn visible(parent: &str) -> &str {
    if parent.is_empty() { "/" } else { parent }
}

/// The path of a child; `parent` is "" for the root.
pub(super) fn join(parent: &str, name: &str) -> String {
    format!("{parent}/{name}")
}

/// This path and those of all its ancestors, up to the root.
pub(super) fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| {
        let (parent, name) = path.rsplit_once('/')?;
        if parent.is_empty() && name.is_empty() { None } else { Some(visible(parent)) }
    })
}

#[cfg(test)]
mod tests {
    use super::{ancestors, split, validate};

    #[test]
    fn well_formed_paths_are_told_from_malformed_ones() {
        for path in ["/", "/a", "/a/b", "/a.b", "/.a", "/..a", "/a..", "/...", "/ ", "/é", "/\u{20ac}"] {
            assert!(validate(path).is_ok(), "{path:?}");
        }
        for path in ["", "a", "//", "/a/", "/a//b", "//a", "/.", "/..", "/a/.", "/a/./b", "/a/../b", "/a/.."] {
            assert!(validate(path).is_err(), "{path:?}");
        }
        for path in ["/a\0", "/a\x01", "/\x1f", "/\x7f", "/\u{9f}", "/\u{e000}", "/\u{fff0}", "/\u{1f512}"] {
            assert!(validate(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn parents_and_ancestors_end_at_the_root() {
        assert_eq!(split("/a/b"), Ok(("/a", "b")));
        assert_eq!(split("/a"), Ok(("", "a")));
        assert!(split("a").is_err());
        assert_eq!(ancestors("/a/b").collect::<Vec<_>>(), ["/a/b", "/a", "/"]);
        assert_eq!(ancestors("/").collect::<Vec<_>>(), ["/"]);
    }
}
