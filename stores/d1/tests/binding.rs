//! Judges the store by the laws of the conformance kit, through the binding of a Worker: a build for tests of the example
//! runs each batch in workerd. `cargo xtask worker test` builds it and starts it.

#[path = "binding/forward.rs"]
mod forward;

use std::{process::ExitCode, sync::Arc};

use forward::Forward;
use purchase_conformance::SqlUnderTest;

fn main() -> ExitCode {
    let store = SqlUnderTest {
        name: "d1-binding",
        server: Some(forward::databases::SERVER),
        open: || Box::pin(Forward::open()),
        durable: None::<Arc<dyn purchase_conformance::Durable>>,
    };
    purchase_conformance::main_for_store(store.into_store())
}
