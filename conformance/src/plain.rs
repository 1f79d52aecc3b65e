//! Decides what plain sends. Plain is the kit's second provider and declares no capability, so that every law is tried
//! on what an adapter doesn't declare. Its events have no id, no mode and no prior state, and its signature covers only
//! the body. Its header is `plain-signature: <hex>[,<hex>…]`.

mod read;
pub mod scenarios;

use std::sync::Arc;

use purchase_core::{
    capability::Capabilities,
    delivery::{Headers, Limits},
    id::{Mode, ProviderName},
    provider::{Event, Provider, Requests, Unreadable, Webhooks},
    time::Timestamp,
    verify::{PresentedSignature, Secret, SignatureError, Trust, VerifiedDelivery},
};
use serde_json::{Value, json};

use crate::under_test::{self, Built, Endpoint, ProviderUnderTest, Samples, Signed};

const HEADER: &str = "plain-signature";

/// The value with which the kit judges plain.
pub const PLAIN: ProviderUnderTest = ProviderUnderTest {
    name: "plain",
    build,
    sign,
    forge,
    samples: Samples {
        unknown_type: |body, _| {
            edit(body, |event| {
                event["what"] = json!("teapot/boiled");
                Some(())
            })
        },
        unknown_value: |body, _| edit(body, |event| event["thing"].get_mut("standing").map(|it| *it = json!("asleep"))),
        unreadable: |body, _| {
            let body =
                edit(body, |event| read::is_listed(event["what"].as_str()?).then(|| event["thing"]["ref"] = json!(7)));
            Some(under_test::Unreadable { body: body?, path: "thing.ref".to_owned() })
        },
        contradiction: |_| None,
        other_mode: |_| None,
        repetition: |_| None,
        older_shape: None,
    },
};

fn edit(body: &[u8], change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Vec<u8>> {
    let mut event: Value = serde_json::from_slice(body).ok()?;
    change(&mut event)?;
    Some(event.to_string().into_bytes())
}

fn build(endpoint: &Endpoint<'_>) -> Built {
    let mode = endpoint.mode.unwrap_or(Mode::Test);
    // No time is signed, so no age can be checked, whatever tolerance the kit asks for.
    let trust = Trust::new(Secret::list(endpoint.secrets.iter().copied())?, None)?;
    Ok(Arc::new(Plain { name: ProviderName::new(PLAIN.name)?, trust, mode }))
}

fn sign(secrets: &[&str], body: &[u8], _: Timestamp) -> Signed {
    let secrets = secrets.iter().filter_map(|text| Secret::new(*text).ok());
    Signed::header(HEADER, secrets.map(|secret| hex::encode(secret.sign(&[body]))).collect::<Vec<_>>().join(","))
}

fn forge(genuine: &Signed) -> Vec<(&'static str, Signed)> {
    let Some((_, value)) = genuine.0.first() else { return Vec::new() };
    vec![
        ("half a signature", Signed::header(HEADER, &value[..value.len() / 2])),
        ("an empty header", Signed::header(HEADER, "")),
    ]
}

struct Plain {
    name: ProviderName,
    trust: Trust,
    mode: Mode,
}

impl Provider for Plain {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities::new()
    }

    fn longest_dunning_seconds(&self) -> i64 {
        14 * 24 * 3600
    }

    fn webhooks(&self) -> &dyn Webhooks {
        self
    }

    fn requests(&self) -> Option<&dyn Requests> {
        None
    }
}

impl Webhooks for Plain {
    fn trust(&self) -> &Trust {
        &self.trust
    }

    fn presented_signature(&self, headers: &Headers, _: &Limits) -> Result<PresentedSignature, SignatureError> {
        let malformed = |reason| SignatureError::Malformed { header: HEADER, reason };
        let value = headers.all(HEADER).next().ok_or(SignatureError::Missing { header: HEADER })?;
        let mut macs = Vec::new();
        for digits in value.split(|byte| *byte == b',') {
            let mut mac = [0; 32];
            hex::decode_to_slice(digits, &mut mac).map_err(|_| malformed("a signature is not 32 bytes in hex"))?;
            macs.push(mac);
        }
        Ok(PresentedSignature { signed_at: None, signed_prefix: Vec::new(), macs })
    }

    fn read(&self, delivery: &VerifiedDelivery) -> Result<Event, Unreadable> {
        read::event(&self.name, self.mode, delivery.body())
    }

    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        // The id is the digest of the body, so two bodies are never one event.
        one == other
    }
}
