//! Decides what ids look like: a prefix and a ULID, whose first ten letters are the millisecond of its creation.

use purchase_emulator::draw::Draw;

/// The letters of a ULID.
const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new id. Ids of one millisecond are in no order.
pub(crate) fn id(prefix: &str, micros: i64, draw: &mut Draw) -> String {
    let millis = u64::try_from(micros / 1000).unwrap_or_default();
    let letter = |place: u32| {
        let bits = millis >> (5 * place) & 31;
        char::from(LETTERS[usize::try_from(bits).unwrap_or_default()])
    };
    let time: String = (0..10).rev().map(letter).collect();
    format!("{prefix}_{time}{}", draw.text(LETTERS, 16))
}

/// The id of a delivery, which depends only on its number and on its event's time.
pub(crate) fn notification(number: u64, micros: i64) -> String {
    id("ntf", micros, &mut Draw::new(number))
}

/// A random UUID.
pub(crate) fn uuid(draw: &mut Draw) -> String {
    let mut bytes = draw.bytes();
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let text = hex::encode(&bytes[..16]);
    format!("{}-{}-{}-{}-{}", &text[..8], &text[8..12], &text[12..16], &text[16..20], &text[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_begin_with_their_millisecond() {
        let mut draw = Draw::new(1);
        // The recorded event evt_01j7br78zy… occurred at 2024-09-09T16:00:14.334401Z.
        let id = id("evt", 1_725_897_614_334_401, &mut draw);
        assert!(id.starts_with("evt_01j7br78zy") && id.len() == 30, "{id}");
        assert_eq!(uuid(&mut draw).len(), 36);
    }
}
