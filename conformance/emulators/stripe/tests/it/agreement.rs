//! What random lifecycles don't do: debits, inquiries, expired sessions, pauses of collection, deleted customers. The
//! adapter reads the deliveries of a walk through all of it, and must come to the world's truth.

use std::sync::Arc;

use purchase_conformance::Endpoint;
use purchase_core::{
    delivery::Delivery,
    engine::{Engine, ProjectionQuery},
    store::memory::MemoryStore,
};
use purchase_emulator_stripe::StripeSettings;
use serde_json::Value;

use crate::{bench::Bench, documents::walk, under_test};

async fn projection(bench: &mut Bench) -> Value {
    let endpoint = Endpoint { secrets: &["whsec_1"], tolerance_seconds: Some(300), mode: None };
    let adapter = (under_test::under_test().build)(&endpoint).expect("the adapter can be built");
    let name = adapter.name().clone();
    let engine = Engine::new(Arc::new(MemoryStore::new())).with_provider(adapter);
    let now = bench.world.now();
    for sent in bench.world.deliveries() {
        let delivery = Delivery { provider: name.clone(), headers: sent.headers, body: sent.body, received_at: now };
        engine.handle(delivery).await.unwrap_or_else(|refusal| panic!("{}: {refusal}", sent.event_type));
    }
    let query = ProjectionQuery { source: None, as_of: now };
    engine.projection(&query).await.expect("the store can be read").expose_canonical()
}

#[test]
fn the_adapter_comes_to_the_worlds_truth() {
    for first_invoice_by_steps in [false, true] {
        let settings = StripeSettings { first_invoice_by_steps, ..StripeSettings::default() };
        let mut bench = Bench::with(settings);
        walk(&mut bench);
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let shown = runtime.block_on(projection(&mut bench));
        let found: Vec<String> = bench.world.truth().differences(&shown, &[]).iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{} differences:\n{}", found.len(), found.join("\n"));
        for section in ["checkouts", "disputes", "invoices", "payments", "refunds", "subscriptions"] {
            assert!(bench.world.truth().section(section).count() > 2, "the walk makes {section}");
        }
    }
}
