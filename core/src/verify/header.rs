//! Reads a signature header of `key=value` pairs: one time, any number of signatures, in any order. It compares
//! nothing and knows no secret and no clock. The adapter defines its provider's header, keys and separators.

use crate::{
    delivery::{Headers, Limits},
    time::Timestamp,
    verify::{PresentedSignature, SignatureError},
};

/// How a provider writes its signature into one header: `<time_key>=<seconds>`, `<mac_key>=<hex>`, with a separator
/// between the pairs. The signed bytes are the text of the time, a joint, and the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SignatureHeader {
    /// The header's name.
    pub name: &'static str,
    /// The character between two pairs.
    pub separator: char,
    /// The key of the signed time, in whole seconds since 1970.
    pub time_key: &'static str,
    /// The key of a signature: HMAC-SHA256, in hexadecimal. Pairs with other keys are ignored.
    pub mac_key: &'static str,
    /// The character between the time and the body in the signed bytes.
    pub joint: char,
}

impl SignatureHeader {
    /// Finds the presented signature in the headers.
    ///
    /// # Errors
    /// [`SignatureError::Missing`], [`SignatureError::NoScheme`], or [`SignatureError::Malformed`] with the reason.
    pub fn find(&self, headers: &Headers, limits: &Limits) -> Result<PresentedSignature, SignatureError> {
        let text = self.only_value(headers, limits)?;
        let mut time = None;
        let mut signatures = 0_usize;
        let mut macs = Vec::new();
        for pair in text.split(self.separator) {
            let (key, value) = pair.trim_ascii().split_once('=').ok_or(self.malformed("a part is not key=value"))?;
            if key == self.time_key {
                if time.replace(value).is_some() {
                    return Err(self.malformed("it has more than one time"));
                }
            } else if key == self.mac_key {
                signatures += 1;
                macs.extend(decode(value));
            }
        }
        let time = time.ok_or(self.malformed("it has no time"))?;
        let signed_at = self.signed_at(time)?;
        let signed_prefix = format!("{time}{}", self.joint).into_bytes();
        match signatures {
            0 => Err(SignatureError::NoScheme { header: self.name, scheme: self.mac_key }),
            _ => Ok(PresentedSignature { signed_at: Some(signed_at), signed_prefix, macs }),
        }
    }

    fn only_value<'a>(&self, headers: &'a Headers, limits: &Limits) -> Result<&'a str, SignatureError> {
        let missing = SignatureError::Missing { header: self.name };
        let mut values = headers.all(self.name);
        let Some(value) = values.next() else { return Err(missing) };
        if values.next().is_some() {
            return Err(self.malformed("it occurs more than once"));
        }
        if value.len() > limits.signature_header_bytes {
            return Err(self.malformed("it is too long"));
        }
        match std::str::from_utf8(value) {
            Ok(text) if text.trim_ascii().is_empty() => Err(missing),
            Ok(text) if text.is_ascii() => Ok(text),
            _ => Err(self.malformed("it is not ASCII")),
        }
    }

    /// Accepts only digits: a sign or a space would parse to the same time although a different text was signed.
    fn signed_at(&self, time: &str) -> Result<Timestamp, SignatureError> {
        if time.is_empty() || !time.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.malformed("its time is not a number of seconds"));
        }
        let seconds = time.parse().map_err(|_| self.malformed("its time is out of range"))?;
        Timestamp::from_seconds(seconds).map_err(|_| self.malformed("its time is out of range"))
    }

    fn malformed(&self, reason: &'static str) -> SignatureError {
        SignatureError::Malformed { header: self.name, reason }
    }
}

/// The 32 bytes of a MAC. A MAC that can't be decoded is skipped, because another one may match.
fn decode(value: &str) -> Option<[u8; 32]> {
    let mut mac = [0; 32];
    hex::decode_to_slice(value, &mut mac).ok()?;
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: &str = "abababababababababababababababababababababababababababababababab";
    const HEADER: SignatureHeader =
        SignatureHeader { name: "acme-signature", separator: ',', time_key: "t", mac_key: "m", joint: '.' };

    fn check(values: &[&[u8]], expect: Result<(i64, &str, usize), SignatureError>) {
        let headers: Headers = values.iter().map(|value| ("Acme-Signature", value)).collect();
        let found = HEADER.find(&headers, &Limits { signature_header_bytes: 200, ..Limits::default() });
        let found = found.map(|presented| {
            let seconds = presented.signed_at.expect("a time").seconds();
            (seconds, String::from_utf8(presented.signed_prefix).expect("ASCII"), presented.macs.len())
        });
        let expect = expect.map(|(seconds, prefix, macs)| (seconds, prefix.to_owned(), macs));
        let values: Vec<_> = values.iter().map(|value| String::from_utf8_lossy(value)).collect();
        assert_eq!(found, expect, "{values:?}");
    }

    fn malformed(reason: &'static str) -> SignatureError {
        SignatureError::Malformed { header: HEADER.name, reason }
    }

    #[test]
    fn every_signature_that_can_be_decoded_is_claimed() {
        check(&[format!("t=12,m={MAC}").as_bytes()], Ok((12, "12.", 1)));
        check(&[format!("t=12,m={MAC},m=zz,m={}", MAC.to_uppercase()).as_bytes()], Ok((12, "12.", 2)));
        check(&[format!("m={MAC},t=12,v0={MAC},w=").as_bytes()], Ok((12, "12.", 1)));
        check(&[b"t=12,m=abab"], Ok((12, "12.", 0)));
        check(&[b"t=12,m="], Ok((12, "12.", 0)));
    }

    #[test]
    fn the_signed_prefix_is_the_text_of_the_time() {
        check(&[format!(" t=0012 , m={MAC} ").as_bytes()], Ok((12, "0012.", 1)));
    }

    #[test]
    fn a_header_that_is_not_there_is_missing() {
        for values in [vec![], vec![&b""[..]], vec![&b"  "[..]]] {
            check(&values, Err(SignatureError::Missing { header: HEADER.name }));
        }
    }

    #[test]
    fn a_header_without_a_signature_has_no_scheme() {
        let expect = || Err(SignatureError::NoScheme { header: HEADER.name, scheme: "m" });
        check(&[b"t=12"], expect());
        check(&[format!("t=12,n={MAC},M={MAC}").as_bytes()], expect());
    }

    #[test]
    fn what_cannot_be_read_is_malformed() {
        let good = format!("t=12,m={MAC}");
        check(&[good.as_bytes(), good.as_bytes()], Err(malformed("it occurs more than once")));
        check(&[format!("{good},m={MAC},m={MAC}").as_bytes()], Err(malformed("it is too long")));
        check(&["t=12,m=é".as_bytes()], Err(malformed("it is not ASCII")));
        check(&[b"t=12,m=\xff"], Err(malformed("it is not ASCII")));
        check(&[b"t=12,,m=00"], Err(malformed("a part is not key=value")));
        check(&[b"t=12,t=12,m=00"], Err(malformed("it has more than one time")));
        check(&[b"m=00"], Err(malformed("it has no time")));
        for time in ["", "-1", "+1", "1.5", " 1", "1 2", "0x1", "१"] {
            let reason = if time.is_ascii() { "its time is not a number of seconds" } else { "it is not ASCII" };
            check(&[format!("t={time},m=00").as_bytes()], Err(malformed(reason)));
        }
        check(&[b"t=99999999999999999999,m=00"], Err(malformed("its time is out of range")));
        check(&[b"t=9999999999999,m=00"], Err(malformed("its time is out of range")));
    }
}
