//! Where names and keys stand on the circle: by their MD5 digests, as numbers of 128 bits.

use std::io::Write;

/// Where a key stands: its MD5 digest, the first byte being the highest. As numbers digests have the same order as
/// their hexadecimal texts.
pub fn key(key: &[u8]) -> u128 {
    u128::from_be_bytes(md5::compute(key).0)
}

/// Where a point of a node stands: the MD5 digest of the node's name followed by the point's number in decimal.
///
/// Points of two nodes may coincide: `node1` followed by 11 is `node11` followed by 1.
pub fn point(name: &[u8], index: u32) -> u128 {
    u128::from_be_bytes(numbered(name, b"", index))
}

/// Where a point of a node stands in the rings of ketama: of the digest of the name, a hyphen and `index / 4`, the
/// bytes from `index % 4 * 4` on, the first byte being the lowest. They are the highest 32 bits of the answer.
pub fn ketama_point(name: &[u8], index: u32) -> u128 {
    word(numbered(name, b"-", index / 4), (index % 4) as usize)
}

/// Where a key stands in the rings of ketama: the first four bytes of its digest, the first being the lowest. They are
/// the highest 32 bits of the answer.
pub fn ketama_key(key: &[u8]) -> u128 {
    word(md5::compute(key).0, 0)
}

fn word(digest: [u8; 16], place: usize) -> u128 {
    let bytes = digest[place * 4..][..4].try_into().expect("four bytes");
    u128::from(u32::from_le_bytes(bytes)) << 96
}

/// The digest of the name, something between and a number in decimal.
fn numbered(name: &[u8], between: &[u8], number: u32) -> [u8; 16] {
    let mut text = [0; 10];
    let mut rest = text.as_mut_slice();
    write!(rest, "{number}").expect("ten digits hold any number of 32 bits");
    let unused = rest.len();
    let mut context = md5::Context::new();
    context.consume(name);
    context.consume(between);
    context.consume(&text[..text.len() - unused]);
    context.finalize().0
}

#[cfg(test)]
mod tests {
    use super::{ketama_point, key, point};

    #[test]
    fn a_point_is_the_digest_of_name_and_number() {
        assert_eq!(format!("{:032x}", key(b"")), "d41d8cd98f00b204e9800998ecf8427e");
        for number in [0, 9, 10, 999, u32::MAX] {
            assert_eq!(point(b"node", number), key(format!("node{number}").as_bytes()));
        }
        assert_eq!(point(b"node1", 11), point(b"node11", 1));
        assert_eq!(ketama_point(b"127.0.0.1:11211", 3) << 32, 0, "only the highest 32 bits");
    }
}
