//! Decides what acme sends. Acme is a small invented provider of the kit, so that the laws, mutants and stores can be
//! tried without a real adapter. It declares every capability. Its header is `acme-signature: at=<seconds> mac=<hex>[
//! mac=<hex>…]`.

mod read;
pub mod scenarios;

use std::sync::Arc;

use purchase_core::{
    capability::{Capabilities, Capability},
    delivery::{Headers, Limits},
    id::{Mode, ProviderName},
    provider::{Event, Provider, Requests, Unreadable, Webhooks},
    time::Timestamp,
    verify::{PresentedSignature, Secret, SignatureError, Trust, VerifiedDelivery},
};
use serde_json::{Value, json};

use crate::under_test::{self, Built, Endpoint, ProviderUnderTest, Samples, Signed};

const HEADER: &str = "acme-signature";

/// The value with which the kit judges acme.
pub const ACME: ProviderUnderTest = ProviderUnderTest {
    name: "acme",
    build,
    sign,
    forge,
    samples: Samples {
        unknown_type: |body, id| {
            edit(body, |event| {
                event["id"] = json!(id);
                event["type"] = json!("teapot.boiled");
                Some(())
            })
        },
        unknown_value: |body, id| {
            edit(body, |event| {
                event["id"] = json!(id);
                event["object"].get_mut("status").map(|status| *status = json!("hibernating"))
            })
        },
        unreadable: |body, id| {
            let body = edit(body, |event| {
                event["id"] = json!(id);
                read::is_listed(event["type"].as_str()?).then(|| event["object"]["id"] = json!(7))
            });
            Some(under_test::Unreadable { body: body?, path: "object.id".to_owned() })
        },
        other_mode: |body| {
            edit(body, |event| {
                event["live"] = json!(event["live"] != json!(true));
                Some(())
            })
        },
        contradiction: |body| {
            edit(body, |event| {
                event["at"] = json!(event["at"].as_i64()? + 1);
                Some(())
            })
        },
        // Version 1 of the API named a quantity `seats`.
        older_shape: Some(|body| {
            edit(body, |event| {
                let quantity = event["object"].as_object_mut()?.remove("quantity")?;
                event["object"]["seats"] = quantity;
                if let Some(quantity) = event["before"].as_object_mut().and_then(|before| before.remove("quantity")) {
                    event["before"]["seats"] = quantity;
                }
                event["version"] = json!("1");
                Some(())
            })
        }),
        repetition: |body| {
            edit(body, |event| {
                event["attempt"] = json!(2);
                Some(())
            })
        },
    },
};

fn edit(body: &[u8], change: impl FnOnce(&mut Value) -> Option<()>) -> Option<Vec<u8>> {
    let mut event: Value = serde_json::from_slice(body).ok()?;
    change(&mut event)?;
    Some(event.to_string().into_bytes())
}

fn build(endpoint: &Endpoint<'_>) -> Built {
    let trust = Trust::new(Secret::list(endpoint.secrets.iter().copied())?, endpoint.tolerance_seconds)?;
    Ok(Arc::new(Acme { name: ProviderName::new(ACME.name)?, trust, mode: endpoint.mode }))
}

fn sign(secrets: &[&str], body: &[u8], at: Timestamp) -> Signed {
    let mut value = format!("at={}", at.seconds());
    for secret in secrets.iter().filter_map(|text| Secret::new(*text).ok()) {
        let mac = secret.sign(&[at.seconds().to_string().as_bytes(), b"|", body]);
        value.push_str(&format!(" mac={}", hex::encode(mac)));
    }
    Signed::header(HEADER, value)
}

fn forge(genuine: &Signed) -> Vec<(&'static str, Signed)> {
    let Some((_, value)) = genuine.0.first() else { return Vec::new() };
    let text = String::from_utf8_lossy(value);
    vec![
        ("no signature", Signed::header(HEADER, text.split(" mac=").next().unwrap_or_default())),
        ("half a signature", Signed::header(HEADER, &text[..text.len() - 32])),
        ("an empty header", Signed::header(HEADER, "")),
    ]
}

struct Acme {
    name: ProviderName,
    trust: Trust,
    mode: Option<Mode>,
}

impl Provider for Acme {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        [Capability::EventIds, Capability::ModeInEvent, Capability::PriorStates, Capability::SignedTime].into()
    }

    fn longest_dunning_seconds(&self) -> i64 {
        30 * 24 * 3600
    }

    fn webhooks(&self) -> &dyn Webhooks {
        self
    }

    fn requests(&self) -> Option<&dyn Requests> {
        None
    }
}

impl Webhooks for Acme {
    fn trust(&self) -> &Trust {
        &self.trust
    }

    fn presented_signature(&self, headers: &Headers, _: &Limits) -> Result<PresentedSignature, SignatureError> {
        let malformed = |reason| SignatureError::Malformed { header: HEADER, reason };
        let value = headers.all(HEADER).next().ok_or(SignatureError::Missing { header: HEADER })?;
        let text = std::str::from_utf8(value).map_err(|_| malformed("not UTF-8"))?;
        let mut parts = text.split(' ');
        let time = parts.next().and_then(|part| part.strip_prefix("at=")).ok_or(malformed("no time"))?;
        let seconds = time.parse().map_err(|_| malformed("its time is not a number"))?;
        let signed_at = Timestamp::from_seconds(seconds).map_err(|_| malformed("its time is out of range"))?;
        let mut macs = Vec::new();
        for part in parts {
            let digits = part.strip_prefix("mac=").ok_or(malformed("a part is not a mac"))?;
            let mut mac = [0; 32];
            hex::decode_to_slice(digits, &mut mac).map_err(|_| malformed("a mac is not 32 bytes in hex"))?;
            macs.push(mac);
        }
        if macs.is_empty() {
            return Err(SignatureError::NoScheme { header: HEADER, scheme: "mac" });
        }
        Ok(PresentedSignature { signed_at: Some(signed_at), signed_prefix: format!("{time}|").into_bytes(), macs })
    }

    fn read(&self, delivery: &VerifiedDelivery) -> Result<Event, Unreadable> {
        read::event(&self.name, self.mode, delivery.body())
    }

    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        let content = |body| {
            let mut event: Value = serde_json::from_slice(body).ok()?;
            event.as_object_mut()?.remove("attempt");
            Some(event)
        };
        content(one).is_some_and(|one| Some(one) == content(other))
    }
}
