//! Names the header with the signature of a delivery: `Paddle-Signature: ts=<seconds>;h1=<hex>[;h1=<hex>…]`. Core reads
//! the header and compares the signature.
//!
//! Paddle signs `<ts>:<body>` with HMAC-SHA256, and sends one `h1` per live secret during a rotation. (Source: Paddle's
//! "Verify webhook signatures", and the official SDKs. Where the SDKs differ from each other, the README says how this
//! adapter behaves.)

use purchase_core::verify::SignatureHeader;

/// The header, and its only scheme.
pub(crate) const HEADER: SignatureHeader =
    SignatureHeader { name: "paddle-signature", separator: ';', time_key: "ts", mac_key: "h1", joint: ':' };

#[cfg(test)]
mod tests {
    use purchase_core::{
        delivery::{Headers, Limits},
        verify::{PresentedSignature, SignatureError},
    };

    use super::*;

    const MAC: &str = "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd";

    fn find(value: &str) -> Result<PresentedSignature, SignatureError> {
        let headers: Headers = [("Paddle-Signature", value)].into_iter().collect();
        HEADER.find(&headers, &Limits::default())
    }

    #[test]
    fn every_h1_is_found_in_any_order() {
        for value in [format!("ts=12;h1={MAC};h1={MAC}"), format!("h1={MAC};h2=x;ts=12;h1={MAC}")] {
            let found = find(&value).expect("a signature");
            assert_eq!((found.signed_at.expect("a time").seconds(), found.macs.len()), (12, 2), "{value}");
            assert_eq!(found.signed_prefix, b"12:");
        }
    }

    #[test]
    fn commas_do_not_separate() {
        let reason = "its time is not a number of seconds";
        let malformed = SignatureError::Malformed { header: "paddle-signature", reason };
        assert_eq!(find(&format!("ts=12,h1={MAC}")), Err(malformed));
        let unknown = find(&format!("ts=12;h2={MAC}"));
        assert_eq!(unknown, Err(SignatureError::NoScheme { header: "paddle-signature", scheme: "h1" }));
    }
}
