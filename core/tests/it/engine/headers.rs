//! Tests which deliveries are refused by their headers alone. The signatures are invented, because nothing is compared
//! yet.

use purchase_core::{delivery::Headers, id::ProviderName};

use super::acme;

fn check(provider: &str, headers: &[(&str, &[u8])], expect: Result<(), (&str, u16)>) {
    let headers: Headers = headers.iter().copied().collect();
    let provider = ProviderName::new(provider).expect("a name");
    let found = acme::engine().precheck(&provider, &headers);
    assert_eq!(
        found.as_ref().map_err(|refusal| (refusal.code(), refusal.http_status())),
        expect.as_ref().map_err(|it| *it)
    );
}

#[test]
fn headers_without_a_usable_signature_are_refused_before_the_body() {
    check("acme", &[("Acme", &[0; 32])], Ok(()));
    check("acme", &[("Acme", &[0; 31])], Err(("signature_malformed", 400)));
    check("acme", &[("Other", &[0; 32])], Err(("signature_missing", 400)));
    check("nobody", &[("Acme", &[0; 32])], Err(("unknown_provider", 404)));
}
