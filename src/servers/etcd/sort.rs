//! A sort that leaves equal elements where the server's does.

/// Sorts by an order in which elements may be equal.
pub(super) fn sort<T>(list: &mut [T], less: impl Fn(&T, &T) -> bool) {
    for end in 1..list.len() {
        let mut at = end;
        while at > 0 && less(&list[at], &list[at - 1]) {
            list.swap(at, at - 1);
            at -= 1;
        }
    }
}
