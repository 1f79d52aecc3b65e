//! Tells the same random lifecycles by both providers: whatever their events look like, the customer may use the same.

#[path = "../adapters/paddle/tests/lifecycles/mod.rs"]
mod paddle;
#[path = "../adapters/paddle/tests/conformance/under_test.rs"]
mod paddle_under_test;
#[path = "../adapters/stripe/tests/lifecycles/mod.rs"]
mod stripe;
#[path = "../adapters/stripe/tests/conformance/under_test.rs"]
mod stripe_under_test;

use std::future::Future;

use paddle::PaddleTeller;
use purchase_conformance::{
    mutants::Mutation,
    rig::Rig,
    story::{Budget, Judge, Step, Teller, hold},
    trials::memory,
    under_test::ProviderUnderTest,
    verdict::ensure,
};
use stripe::StripeTeller;

const BUDGET: Budget = Budget {
    cases: 64,
    wishes: 36,
    simpler: 500,
    regressions: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proptest-regressions/lifecycles.txt")),
};

fn done<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

fn judge(provider: ProviderUnderTest, teller: &dyn Teller) -> Judge<'_> {
    Judge { rig: Rig { provider, store: memory(), mutation: Mutation::None }, teller }
}

#[test]
fn both_providers_give_the_same_access() {
    let can = |step: &Step| PaddleTeller.can(step) && StripeTeller.can(step);
    let told = hold(BUDGET, can, |story| {
        let one = done(judge(paddle_under_test::under_test(), &PaddleTeller).entitlements(story))?;
        let other = done(judge(stripe_under_test::under_test(), &StripeTeller).entitlements(story))?;
        ensure(one == other, || format!("one gives {one:?}\nthe other {other:?}"))
    });
    if let Err(told) = told {
        panic!("{told}");
    }
}
