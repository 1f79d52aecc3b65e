//! Plays the same random lifecycles in both emulators, and checks that the customer has the same access. The providers
//! differ in how long they retry failed payments, so that time is set to the same value.

use std::{collections::BTreeMap, future::Future, sync::Arc};

use crate::{paddle_story::PaddleScript, paddle_under_test, stripe_story::StripeScript, stripe_under_test};
use purchase_conformance::{
    mutants::Mutation,
    rig::Rig,
    story::{Budget, DAY_SECONDS, Judge, Step, Story, Teller, Told, Ways, hold},
    under_test::{Built, Endpoint, ProviderUnderTest, memory},
    verdict::ensure,
    wrapped::Wrapped,
};
use serde_json::Value;

const BUDGET: Budget = Budget {
    cases: 64,
    wishes: 36,
    simpler: 500,
    regressions: Some(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/proptest-regressions/lifecycles.txt")),
};

fn done<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(future)
}

/// The time for which both providers retry failed payments. No period ends after exactly this time, because an end by
/// the provider's clock couldn't be distinguished from one by the story's.
const DUNNING_SECONDS: i64 = 17 * DAY_SECONDS + 5 * 3600;

/// An adapter that declares this retry time.
fn alike(built: Built) -> Built {
    Ok(Arc::new(Wrapped { longest_dunning_seconds: DUNNING_SECONDS, ..Wrapped::new(built?) }))
}

fn paddle_alike() -> ProviderUnderTest {
    let build = |endpoint: &Endpoint<'_>| alike((paddle_under_test::under_test().build)(endpoint));
    ProviderUnderTest { build, ..paddle_under_test::under_test() }
}

fn stripe_alike() -> ProviderUnderTest {
    let build = |endpoint: &Endpoint<'_>| alike((stripe_under_test::under_test().build)(endpoint));
    ProviderUnderTest { build, ..stripe_under_test::under_test() }
}

/// A teller whose readings are taken around the same ends of access.
struct Around<'a>(&'a dyn Teller);

impl Teller for Around<'_> {
    fn can(&self, step: &Step) -> bool {
        self.0.can(step)
    }

    fn tell(&self, story: &Story) -> Told {
        self.0.tell(story)
    }

    fn ways(&self) -> Ways {
        Ways { dunning_seconds: DUNNING_SECONDS, ..self.0.ways() }
    }
}

fn judge(provider: ProviderUnderTest, teller: &dyn Teller) -> Judge<'_> {
    Judge { rig: Rig { provider, store: memory(), mutation: Mutation::None }, teller }
}

/// Each provider reports a failed renewal a moment later, by its own clock. So the ends are compared to the minute.
fn to_the_minute(mut read: BTreeMap<i64, Value>) -> BTreeMap<i64, Value> {
    let customers = read.values_mut().filter_map(Value::as_object_mut).flat_map(|map| map.values_mut());
    for benefit in customers.filter_map(Value::as_object_mut).flat_map(|map| map.values_mut()) {
        if let Some(until) = benefit["until"].as_str() {
            benefit["until"] = until.chars().take("2026-12-04T09:00".len()).collect::<String>().into();
        }
    }
    read
}

#[test]
fn both_providers_give_the_same_access() {
    let (paddle, stripe) = (PaddleScript::default(), StripeScript);
    let can = |step: &Step| paddle.can(step) && stripe.can(step);
    let told = hold(BUDGET, can, |story| {
        let one = done(judge(paddle_alike(), &Around(&paddle)).entitlements(story))?;
        let other = done(judge(stripe_alike(), &Around(&stripe)).entitlements(story))?;
        let (one, other) = (to_the_minute(one), to_the_minute(other));
        ensure(one == other, || format!("one gives {one:?}\nthe other {other:?}"))
    });
    if let Err(told) = told {
        panic!("{told}");
    }
}
