//! A sort that leaves equal elements where the server's own leaves them: pattern-defeating quicksort, step by step
//! as the server's library has it, since the order of equal elements hangs on every step.
//!
//! Source: `sort.Sort` of Go 1.19 (`zsortinterface.go`), with which the server was built.

/// Up to this length elements are inserted one by one, and equal ones stay in their order.
const INSERTION_MAX: usize = 12;
/// From this length on more is done to choose a pivot, and a nearly sorted list is mended.
const LONG: usize = 50;

/// Sorts by an order in which elements may be equal. Costs O(n log n).
pub(super) fn sort<T>(list: &mut [T], less: impl Fn(&T, &T) -> bool) {
    let (end, limit) = (list.len(), usize::BITS - list.len().leading_zeros());
    Sort { list, less }.sort(0, end, limit);
}

struct Sort<'a, T, Less> {
    list: &'a mut [T],
    less: Less,
}

/// What choosing a pivot tells of the order that there is.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Hint {
    Increasing,
    Decreasing,
    Unknown,
}

impl<T, Less: Fn(&T, &T) -> bool> Sort<'_, T, Less> {
    fn less(&self, a: usize, b: usize) -> bool {
        (self.less)(&self.list[a], &self.list[b])
    }

    fn swap(&mut self, a: usize, b: usize) {
        self.list.swap(a, b);
    }

    /// Sorts from `a` up to `b`; after `limit` bad pivots by a heap.
    fn sort(&mut self, mut a: usize, mut b: usize, mut limit: u32) {
        let (mut was_balanced, mut was_partitioned) = (true, true);
        loop {
            let length = b - a;
            if length <= INSERTION_MAX {
                return self.insert_each(a, b);
            }
            if limit == 0 {
                return self.sort_by_heap(a, b);
            }
            if !was_balanced {
                self.break_patterns(a, b);
                limit -= 1;
            }
            let (mut pivot, mut hint) = self.choose_pivot(a, b);
            if hint == Hint::Decreasing {
                self.list[a..b].reverse();
                pivot = (b - 1) - (pivot - a);
                hint = Hint::Increasing;
            }
            if was_balanced && was_partitioned && hint == Hint::Increasing && self.mend(a, b) {
                return;
            }
            // All that is left of here is no greater: if the pivot is no greater than that, there are many like it.
            if a > 0 && !self.less(a - 1, pivot) {
                a = self.partition_equal(a, b, pivot);
                continue;
            }
            let (middle, already) = self.partition(a, b, pivot);
            was_partitioned = already;
            let (left, right) = (middle - a, b - middle);
            was_balanced = left.min(right) >= length / 8;
            if left < right {
                self.sort(a, middle, limit);
                a = middle + 1;
            } else {
                self.sort(middle + 1, b, limit);
                b = middle;
            }
        }
    }

    fn insert_each(&mut self, a: usize, b: usize) {
        for next in a + 1..b {
            let mut at = next;
            while at > a && self.less(at, at - 1) {
                self.swap(at, at - 1);
                at -= 1;
            }
        }
    }

    fn sort_by_heap(&mut self, a: usize, b: usize) {
        let length = b - a;
        for root in (0..=(length - 1) / 2).rev() {
            self.sift_down(root, length, a);
        }
        for end in (0..length).rev() {
            self.swap(a, a + end);
            self.sift_down(0, end, a);
        }
    }

    fn sift_down(&mut self, mut root: usize, end: usize, first: usize) {
        loop {
            let mut child = 2 * root + 1;
            if child >= end {
                return;
            }
            if child + 1 < end && self.less(first + child, first + child + 1) {
                child += 1;
            }
            if !self.less(first + root, first + child) {
                return;
            }
            self.swap(first + root, first + child);
            root = child;
        }
    }

    /// Puts what is less than the pivot before it. Says where the pivot is, and whether it was so already.
    fn partition(&mut self, a: usize, b: usize, pivot: usize) -> (usize, bool) {
        self.swap(a, pivot);
        let (mut i, mut j, mut already) = (a + 1, b - 1, true);
        loop {
            while i <= j && self.less(i, a) {
                i += 1;
            }
            while i <= j && !self.less(j, a) {
                j -= 1;
            }
            if i > j {
                break;
            }
            already = false;
            self.swap(i, j);
            i += 1;
            j -= 1;
        }
        self.swap(j, a);
        (j, already)
    }

    /// Puts what is equal to the pivot before what is greater. Says where that begins.
    fn partition_equal(&mut self, a: usize, b: usize, pivot: usize) -> usize {
        self.swap(a, pivot);
        let (mut i, mut j) = (a + 1, b - 1);
        loop {
            while i <= j && !self.less(a, i) {
                i += 1;
            }
            while i <= j && self.less(a, j) {
                j -= 1;
            }
            if i > j {
                return i;
            }
            self.swap(i, j);
            i += 1;
            j -= 1;
        }
    }

    /// Tries to sort what may be sorted already, moving five elements at most. Says whether it is sorted now.
    fn mend(&mut self, a: usize, b: usize) -> bool {
        let mut i = a + 1;
        for _ in 0..5 {
            while i < b && !self.less(i, i - 1) {
                i += 1;
            }
            if i == b {
                return true;
            }
            if b - a < LONG {
                return false;
            }
            self.swap(i, i - 1);
            if i - a >= 2 {
                let mut at = i - 1;
                while at >= 1 && self.less(at, at - 1) {
                    self.swap(at, at - 1);
                    at -= 1;
                }
            }
            if b - i >= 2 {
                let mut at = i + 1;
                while at < b && self.less(at, at - 1) {
                    self.swap(at, at - 1);
                    at += 1;
                }
            }
        }
        false
    }

    /// Moves three elements in the middle to places that look drawn, by xorshift from the length.
    fn break_patterns(&mut self, a: usize, b: usize) {
        let length = b - a;
        let mut random = length as u64;
        let mask = (1_u64 << (u64::BITS - random.leading_zeros())) - 1;
        let middle = a + (length / 4) * 2;
        for place in middle - 1..middle + 2 {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            let other = usize::try_from(random & mask).expect("below twice the length");
            self.swap(place, a + if other >= length { other - length } else { other });
        }
    }

    fn choose_pivot(&self, a: usize, b: usize) -> (usize, Hint) {
        let (length, mut swaps) = (b - a, 0);
        let [mut i, mut j, mut k] = [1, 2, 3].map(|quarter| a + length / 4 * quarter);
        if length >= LONG {
            for place in [&mut i, &mut j, &mut k] {
                *place = self.median(*place - 1, *place, *place + 1, &mut swaps);
            }
        }
        let pivot = self.median(i, j, k, &mut swaps);
        match swaps {
            0 => (pivot, Hint::Increasing),
            12 => (pivot, Hint::Decreasing),
            _ => (pivot, Hint::Unknown),
        }
    }

    /// Which of three places has the element in the middle, and how many had to be swapped to tell.
    fn median(&self, a: usize, b: usize, c: usize, swaps: &mut u32) -> usize {
        let mut order = |a: usize, b: usize| {
            if self.less(b, a) {
                *swaps += 1;
                return (b, a);
            }
            (a, b)
        };
        let (a, b) = order(a, b);
        let (b, _) = order(b, c);
        order(a, b).1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lists of many lengths, shapes and numbers of equal elements.
    #[test]
    fn whatever_is_sorted_is_in_order_and_whole() {
        let mut state: u64 = 1;
        for length in [0, 1, 2, 11, 12, 13, 40, 49, 50, 51, 200, 1_000] {
            for kinds in [1, 2, 7, 1_000_000] {
                let mut draw = |_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (state >> 33) % kinds
                };
                let drawn: Vec<u64> = (0..length).map(&mut draw).collect();
                let saw = (0..length).map(|place| place % 17 * 1_000 + place).collect();
                for list in [drawn, (0..length).collect(), (0..length).rev().collect(), saw] {
                    let (mut sorted, mut expected) = (list.clone(), list);
                    sort(&mut sorted, |a, b| a < b);
                    expected.sort_unstable();
                    assert_eq!(sorted, expected);
                }
            }
        }
    }

    /// As recorded: forty keys of which every third has the same value, sorted by value.
    #[test]
    fn equal_elements_are_where_the_server_leaves_them() {
        let mut list: Vec<(u32, u32)> = (0..40).map(|key| (key * 7 % 3, key)).collect();
        sort(&mut list, |a, b| a.0 < b.0);
        let keys: Vec<u32> = list.into_iter().map(|(_, key)| key).collect();
        let recorded = [
            15, 39, 36, 3, 33, 30, 6, 27, 24, 9, 0, 21, 12, 18, 10, 4, 16, 1, 13, 19, 37, 34, 22, 31, 28, 25, 7, 14, 8,
            29, 5, 23, 32, 26, 11, 35, 2, 20, 38, 17,
        ];
        assert_eq!(keys, recorded);
        // With fourteen the first pivot is a bad one, and patterns are broken.
        let mut list: Vec<(u32, u32)> = (0..14).map(|key| (key % 3, key)).collect();
        sort(&mut list, |a, b| a.0 < b.0);
        let keys: Vec<u32> = list.into_iter().map(|(_, key)| key).collect();
        assert_eq!(keys, [6, 0, 12, 3, 9, 4, 1, 10, 7, 13, 5, 8, 11, 2]);
    }
}
