//! Tests the refunded amount of a payment, from a charge's total and from the refunds themselves.

use purchase_core::{
    fact::{
        Fact, Observation, Phase, Version,
        object_state::{Charge, ChargeState, ObjectState, Refund, RefundState},
    },
    fold::SubjectState,
    id::{Mode, ObjectKind, ObjectRef, ProviderId, ProviderName, Source, Subject},
    money::{Currency, Money},
    time::Timestamp,
};

fn id(text: impl Into<String>) -> ProviderId {
    ProviderId::new(text.into()).expect("id")
}

fn subject() -> Subject {
    Subject {
        source: Source { provider: ProviderName::new("acme").expect("name"), account: None, mode: Mode::Test },
        root: ObjectRef::new(ObjectKind::Payment, id("pay")),
    }
}

fn object_state(word: &str, minor: i64) -> ObjectState {
    let money = |minor| Money::new(minor, Currency::new("EUR").expect("EUR")).expect("in range");
    let refund = |state| ObjectState::Refund(Refund::new(state, money(minor)));
    match word {
        "total" => ObjectState::Charge(Charge {
            state: ChargeState::Succeeded,
            amount: money(9),
            captured: None,
            refunded: money(minor),
            may_count_release: false,
        }),
        "pending" => refund(RefundState::Pending),
        "succeeded" => refund(RefundState::Succeeded),
        "failed" => refund(RefundState::Failed),
        other => panic!("{other} is not a state"),
    }
}

/// Parses observations, one per second: `a=succeeded:4` is a refund of four, `c=total:4` is a charge of which four was
/// refunded.
#[track_caller]
fn check(observations: &str, expect: i64) {
    let facts: Vec<Fact> = observations
        .split_whitespace()
        .zip(1..)
        .map(|(text, second)| {
            let (name, rest) = text.split_once('=').expect("a name");
            let (word, minor) = rest.split_once(':').expect("a state and an amount");
            let object_state = object_state(word, minor.parse().expect("an amount"));
            let object = ObjectRef::new(object_state.kind(), id(name));
            Fact {
                subject: subject(),
                event: id(format!("e{second}")),
                version: Version::at(Timestamp::from_seconds(second).expect("in range")),
                observation: Some(Observation { object, phase: Phase::Changed, object_state, prior: None }),
                links: Vec::new(),
            }
        })
        .collect();
    assert_eq!(SubjectState::fold(&subject(), &facts).0.figures().refunded, expect, "{observations}");
}

#[test]
fn a_total_counts_until_what_it_counts_failed() {
    check("c=total:4", 4);
    check("a=succeeded:4 c=total:4", 4);
    check("a=pending:4 c=total:4", 0);
    check("a=succeeded:4 c=total:4 a=failed:4", 0);
    check("a=succeeded:4 c=total:4 a=failed:4 c=total:0", 0);
}

#[test]
fn a_total_that_was_taken_after_a_failure_does_not_count_it() {
    // The second refund is known only from the total.
    check("a=succeeded:4 c=total:4 a=failed:4 c=total:3", 3);
    check("a=succeeded:4 c=total:4 a=failed:4 c=total:3 a=failed:4", 3);
}
