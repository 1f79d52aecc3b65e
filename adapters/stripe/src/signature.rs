//! Decides where the signature of a delivery stands: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>…]`.
//! It compares nothing and knows no secret and no clock: `purchase_core::verify` does.
//!
//! Stripe signs `<t>.<body>` with HMAC-SHA256. The header holds one `v1` per secret that is live while one is rolled;
//! `v0` is a decoy that is sent in test mode. (Source: Stripe's "Verify webhook signatures manually", and the
//! official SDKs; where those differ from each other, the README says which way this file goes.)

use purchase_core::{
    delivery::{Headers, Limits},
    time::Timestamp,
    verify::{SignatureClaim, SignatureError},
};

/// The header's name.
pub(crate) const HEADER: &str = "stripe-signature";
/// The only scheme that counts.
const SCHEME: &str = "v1";

/// Finds the claim in the headers.
pub(crate) fn claim(headers: &Headers, limits: &Limits) -> Result<SignatureClaim, SignatureError> {
    let text = only_header(headers, limits)?;
    let mut time = None;
    let mut schemes = 0_usize;
    let mut macs = Vec::new();
    for pair in text.split(',') {
        let (key, value) = pair.trim_ascii().split_once('=').ok_or(malformed("a part is not key=value"))?;
        match key {
            "t" if time.is_some() => return Err(malformed("it has more than one time")),
            "t" => time = Some(value),
            SCHEME => {
                schemes += 1;
                macs.extend(decode(value));
            }
            _ => {}
        }
    }
    let time = time.ok_or(malformed("it has no time"))?;
    let signed_at = signed_at(time)?;
    match schemes {
        0 => Err(SignatureError::NoScheme { header: HEADER, scheme: SCHEME }),
        _ => Ok(SignatureClaim { signed_at: Some(signed_at), signed_prefix: format!("{time}.").into_bytes(), macs }),
    }
}

fn only_header<'a>(headers: &'a Headers, limits: &Limits) -> Result<&'a str, SignatureError> {
    let mut values = headers.all(HEADER);
    let value = values.next().ok_or(SignatureError::Missing { header: HEADER })?;
    if values.next().is_some() {
        return Err(malformed("it came more than once"));
    }
    if value.len() > limits.signature_header_bytes {
        return Err(malformed("it is too long"));
    }
    match std::str::from_utf8(value) {
        Ok(text) if text.trim_ascii().is_empty() => Err(SignatureError::Missing { header: HEADER }),
        Ok(text) if text.is_ascii() => Ok(text),
        _ => Err(malformed("it is not ASCII")),
    }
}

/// Only digits: a sign or a space would verify under another text than the one that was signed.
fn signed_at(time: &str) -> Result<Timestamp, SignatureError> {
    if time.is_empty() || !time.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed("its time is not a number of seconds"));
    }
    let seconds = time.parse().map_err(|_| malformed("its time is out of range"))?;
    Timestamp::from_seconds(seconds).map_err(|_| malformed("its time is out of range"))
}

/// The 32 bytes of a MAC. One that can't be decoded is passed over, for another one may match.
fn decode(value: &str) -> Option<[u8; 32]> {
    let mut mac = [0; 32];
    hex::decode_to_slice(value, &mut mac).ok()?;
    Some(mac)
}

fn malformed(reason: &'static str) -> SignatureError {
    SignatureError::Malformed { header: HEADER, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAC: &str = "abababababababababababababababababababababababababababababababab";

    fn check(values: &[&[u8]], expect: Result<(i64, &str, usize), SignatureError>) {
        let headers: Headers = values.iter().map(|value| ("Stripe-Signature", value)).collect();
        let found = claim(&headers, &Limits { signature_header_bytes: 200, ..Limits::default() });
        let found = found.map(|claim| {
            let seconds = claim.signed_at.expect("Stripe signs a time").seconds();
            (seconds, String::from_utf8(claim.signed_prefix).expect("ASCII"), claim.macs.len())
        });
        let expect = expect.map(|(seconds, prefix, macs)| (seconds, prefix.to_owned(), macs));
        assert_eq!(
            found,
            expect,
            "{:?}",
            values.iter().map(|value| String::from_utf8_lossy(value)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn every_v1_that_can_be_decoded_is_claimed() {
        check(&[format!("t=12,v1={MAC}").as_bytes()], Ok((12, "12.", 1)));
        check(&[format!("t=12,v1={MAC},v1=zz,v1={}", MAC.to_uppercase()).as_bytes()], Ok((12, "12.", 2)));
        check(&[format!("v1={MAC},t=12,v0={MAC},w=").as_bytes()], Ok((12, "12.", 1)));
        check(&[b"t=12,v1=abab"], Ok((12, "12.", 0)));
        check(&[b"t=12,v1="], Ok((12, "12.", 0)));
    }

    #[test]
    fn the_signed_prefix_is_the_text_of_the_time() {
        check(&[format!(" t=0012 , v1={MAC} ").as_bytes()], Ok((12, "0012.", 1)));
    }

    #[test]
    fn a_header_that_is_not_there_is_missing() {
        for values in [vec![], vec![&b""[..]], vec![&b"  "[..]]] {
            check(&values, Err(SignatureError::Missing { header: HEADER }));
        }
    }

    #[test]
    fn a_header_without_v1_has_no_scheme() {
        let expect = || Err(SignatureError::NoScheme { header: HEADER, scheme: "v1" });
        check(&[b"t=12"], expect());
        check(&[format!("t=12,v0={MAC},V1={MAC}").as_bytes()], expect());
    }

    #[test]
    fn what_cannot_be_read_is_malformed() {
        let good = format!("t=12,v1={MAC}");
        check(&[good.as_bytes(), good.as_bytes()], Err(malformed("it came more than once")));
        check(&[format!("{good},v1={MAC},v1={MAC}").as_bytes()], Err(malformed("it is too long")));
        check(&["t=12,v1=é".as_bytes()], Err(malformed("it is not ASCII")));
        check(&[b"t=12,v1=\xff"], Err(malformed("it is not ASCII")));
        check(&[b"t=12,,v1=00"], Err(malformed("a part is not key=value")));
        check(&[b"t=12,t=12,v1=00"], Err(malformed("it has more than one time")));
        check(&[b"v1=00"], Err(malformed("it has no time")));
        for time in ["", "-1", "+1", "1.5", " 1", "1 2", "0x1", "१"] {
            let reason = if time.is_ascii() { "its time is not a number of seconds" } else { "it is not ASCII" };
            check(&[format!("t={time},v1=00").as_bytes()], Err(malformed(reason)));
        }
        check(&[b"t=99999999999999999999,v1=00"], Err(malformed("its time is out of range")));
        check(&[b"t=9999999999999,v1=00"], Err(malformed("its time is out of range")));
    }
}
