//! Finds the signature of a delivery. This module compares nothing and knows no secret and no clock:
//! `purchase_core::verify` compares the signature with every secret in constant time.

use purchase_core::{
    delivery::{Headers, Limits},
    verify::{PresentedSignature, SignatureError},
};

/// The header's name, in lower case.
pub(crate) const HEADER: &str = "x-signature";

/// Finds the presented signature in the headers: the HMAC-SHA256 of the raw body, as a hex digest in lower case. Nothing else is
/// signed, in particular no time. (Source: Lemon Squeezy's documentation "Signing requests".)
pub(crate) fn find(headers: &Headers, limits: &Limits) -> Result<PresentedSignature, SignatureError> {
    let mut macs = Vec::new();
    for value in headers.all(HEADER) {
        if value.len() > limits.signature_header_bytes {
            return Err(malformed("it is too long"));
        }
        macs.push(decode(value)?);
    }
    match macs.is_empty() {
        true => Err(SignatureError::Missing { header: HEADER }),
        false => Ok(PresentedSignature { signed_at: None, signed_prefix: Vec::new(), macs }),
    }
}

/// The 32 bytes of a MAC.
fn decode(digits: &[u8]) -> Result<[u8; 32], SignatureError> {
    let mut mac = [0; 32];
    match hex::decode_to_slice(digits, &mut mac) {
        Ok(()) if !digits.iter().any(u8::is_ascii_uppercase) => Ok(mac),
        _ => Err(malformed("it is not 32 bytes in lower-case hex")),
    }
}

fn malformed(reason: &'static str) -> SignatureError {
    SignatureError::Malformed { header: HEADER, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: &str = "abababababababababababababababababababababababababababababababab";

    #[test]
    fn every_header_is_found_and_nothing_else_is_read() {
        let check = |values: &[&str], expect: Result<usize, SignatureError>| {
            let headers: Headers = values.iter().map(|value| ("X-Signature", value)).collect();
            let limits = Limits { signature_header_bytes: 100, ..Limits::default() };
            let found = find(&headers, &limits).map(|presented| {
                assert_eq!((presented.signed_at, presented.signed_prefix.as_slice()), (None, &b""[..]));
                presented.macs.len()
            });
            assert_eq!(found, expect, "{values:?}");
        };
        let no_hex = || Err(malformed("it is not 32 bytes in lower-case hex"));
        check(&[MAC], Ok(1));
        check(&[MAC, MAC], Ok(2));
        check(&[], Err(SignatureError::Missing { header: HEADER }));
        check(&[""], no_hex());
        check(&[&MAC[2..]], no_hex());
        check(&[&MAC.to_uppercase()], no_hex());
        check(&[&format!("sha256={MAC}")], no_hex());
        check(&[&MAC.repeat(2)], Err(malformed("it is too long")));
    }
}
