//! Names the header with the signature of a delivery: `Stripe-Signature: t=<seconds>,v1=<hex>[,v1=<hex>…]`. Core reads
//! the header and compares the signature.
//!
//! Stripe signs `<t>.<body>` with HMAC-SHA256. The header has one `v1` per live secret while one is rolled; `v0` is a
//! decoy that Stripe sends in test mode. (Source: Stripe's "Verify webhook signatures manually", and the official SDKs.
//! Where the SDKs differ from each other, the README says how this adapter behaves.)

use purchase_core::verify::SignatureHeader;

/// The header, and the only accepted scheme.
pub(crate) const HEADER: SignatureHeader =
    SignatureHeader { name: "stripe-signature", separator: ',', time_key: "t", mac_key: "v1", joint: '.' };

#[cfg(test)]
mod tests {
    use purchase_core::{
        delivery::{Headers, Limits},
        verify::SignatureError,
    };

    use super::*;

    const MAC: &str = "abababababababababababababababababababababababababababababababab";

    #[test]
    fn every_v1_is_found_and_the_decoy_is_not() {
        let presented = |value: &str| {
            let headers: Headers = [("Stripe-Signature", value)].into_iter().collect();
            HEADER.find(&headers, &Limits::default())
        };
        let found = presented(&format!("t=12,v1={MAC},v1={MAC},v0={MAC}")).expect("a signature");
        assert_eq!((found.signed_at.expect("a time").seconds(), found.macs.len()), (12, 2));
        assert_eq!(found.signed_prefix, b"12.");
        let decoy = presented(&format!("t=12,v0={MAC}"));
        assert_eq!(decoy, Err(SignatureError::NoScheme { header: "stripe-signature", scheme: "v1" }));
    }
}
