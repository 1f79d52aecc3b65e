//! Tests of charges of which only a part was captured, or nothing. Before `2025-03-31.basil`, Stripe counts the amount
//! that was authorized and not captured as refunded, and lists a refund of it. Since then it doesn't. A charge keeps
//! the behaviour that was in force when it was captured.

use purchase_core::{
    fact::{
        Observation,
        object_state::{Charge, ChargeState, Payment, PaymentState, Refund, RefundState, Release},
    },
    id::ObjectKind,
};

use super::*;

const OLD: &str = "2025-02-24.acacia";
const NEW: &str = "2025-03-31.basil";

/// A charge of 2000 of which this amount was captured.
fn charge(captured: i64, refunded: i64) -> Value {
    json!({
        "id": "ch_1", "object": "charge", "status": "succeeded", "captured": captured > 0, "amount": 2000,
        "amount_captured": captured, "amount_refunded": refunded, "currency": "eur", "customer": "cus_1",
        "payment_intent": "pi_1", "metadata": {}, "created": 1_599_000_000,
    })
}

/// The amounts show that the release counts as a refund.
const COUNTS: Option<Release> = Some(Release { counted: true, by_version: false });
/// The amounts show that the release doesn't count as a refund.
const COUNTS_NOT: Option<Release> = Some(Release { counted: false, by_version: false });
/// Only the API version makes it likely that the release counts as a refund.
const LIKELY: Option<Release> = Some(Release { counted: true, by_version: true });

/// The charge and the statement about its release. A release that only the version makes likely has a different id.
fn shown(facts: &[Fact]) -> (Charge, Option<Release>) {
    let observations: Vec<&Observation> = facts.iter().filter_map(|fact| fact.observation.as_ref()).collect();
    let charge = observations
        .iter()
        .find_map(|it| if let ObjectState::Charge(it) = &it.object_state { Some(it.clone()) } else { None });
    let releases: Vec<(&str, Release)> = observations
        .iter()
        .filter_map(|it| match &it.object_state {
            ObjectState::Release(release) => Some((it.object.id.expose(), release.clone())),
            _ => None,
        })
        .collect();
    let release = match releases.as_slice() {
        [] => None,
        [(name, release)] => {
            assert_eq!(*name, if release.by_version { "version:pi_1" } else { "ch_1" });
            Some(release.clone())
        }
        several => panic!("{several:?}"),
    };
    (charge.expect("a charge"), release)
}

/// The content of an event of an API version: the refunded amount, whether it may include the release, and the
/// statement about the release.
#[track_caller]
fn check(event: (&str, &str), captured: i64, total: i64, expect: (i64, bool, Option<Release>)) {
    let (api_version, event_type) = event;
    let (charge, release) = shown(&versioned(api_version, event_type, charge(captured, total)));
    assert_eq!(charge.captured, Some(money(captured, "eur")));
    assert_eq!((charge.refunded.minor(), charge.may_count_release, release), expect);
}

#[test]
fn a_whole_capture_leaves_nothing_open() {
    for version in [OLD, NEW] {
        check((version, "charge.captured"), 2000, 0, (0, false, None));
        check((version, "charge.refunded"), 2000, 500, (500, false, None));
        check((version, "charge.refunded"), 2000, 2000, (2000, false, None));
    }
}

#[test]
fn the_capture_s_own_event_decides() {
    // 800 were released: before this version they counted as refunded, and since then they don't.
    check((OLD, "charge.captured"), 1200, 800, (0, false, COUNTS));
    check((NEW, "charge.captured"), 1200, 0, (0, false, COUNTS_NOT));
    // The amounts decide, whatever the version of the event: an endpoint can be pinned to an older version.
    check((NEW, "charge.captured"), 1200, 800, (0, false, COUNTS));
    check((OLD, "charge.captured"), 1200, 0, (0, false, COUNTS_NOT));
}

#[test]
fn the_figures_decide_where_they_can() {
    for version in [OLD, NEW] {
        // No more than the captured amount can be refunded.
        check((version, "charge.refunded"), 1200, 1201, (401, false, COUNTS));
        check((version, "charge.refunded"), 1200, 2000, (1200, false, COUNTS));
        // A total that includes the release is never less than the release.
        check((version, "charge.refunded"), 1200, 799, (799, false, COUNTS_NOT));
        check((version, "charge.updated"), 1200, 0, (0, false, COUNTS_NOT));
    }
}

#[test]
fn where_the_figures_leave_it_open_the_version_makes_it_likely() {
    for total in [800, 1000, 1200] {
        check((OLD, "charge.refunded"), 1200, total, (total, true, LIKELY));
        check((NEW, "charge.refunded"), 1200, total, (total, true, None));
    }
    // Without a version, the newer behaviour is likely.
    let (unversioned, release) = shown(&facts("charge.updated", charge(1200, 800)));
    assert_eq!((unversioned.may_count_release, release), (true, None));
}

#[test]
fn a_voided_charge_captured_and_refunded_nothing() {
    for (version, total) in [(OLD, 2000), (NEW, 0)] {
        for event_type in ["charge.refunded", "charge.expired", "charge.updated"] {
            let facts = versioned(version, event_type, charge(0, total));
            let (voided, release) = shown(&facts);
            let expect = Charge {
                state: ChargeState::Pending,
                amount: money(2000, "eur"),
                captured: Some(money(0, "eur")),
                refunded: money(0, "eur"),
                may_count_release: false,
            };
            assert_eq!((voided, release), (expect, None), "{version} {event_type}");
        }
    }
    // Charges of old API versions don't say how much was captured: it was the whole amount, or nothing.
    let old = |captured, total| {
        let object = with(without(charge(0, total), "amount_captured"), json!({ "captured": captured }));
        let (it, release) = shown(&versioned("2020-03-02", "charge.refunded", object));
        (it.captured, it.refunded, it.may_count_release, release)
    };
    assert_eq!(old(false, 2000), (Some(money(0, "eur")), money(0, "eur"), false, None));
    assert_eq!(old(true, 500), (Some(money(2000, "eur")), money(500, "eur"), false, None));
}

#[test]
fn the_release_is_a_member_of_the_payment_beside_the_charge() {
    let found = facts("charge.captured", charge(1200, 800));
    assert_eq!(
        lines(&found),
        ["payment:pi_1 shows charge:ch_1 changed of customer:cus_1", "payment:pi_1 shows release:ch_1 changed"]
    );
    let direct = with(charge(1200, 800), json!({"payment_intent": null}));
    let found = facts("charge.captured", direct);
    assert_eq!(
        lines(&found),
        [
            "payment:ch_1 shows charge:ch_1 changed of customer:cus_1",
            "payment:ch_1 shows release:ch_1 changed",
            "payment:ch_1 shows payment:ch_1 changed",
        ]
    );
    let paid =
        found.iter().filter_map(|fact| fact.observation.as_ref()).find(|it| it.object.kind == ObjectKind::Payment);
    let received = Some(money(1200, "eur"));
    let expect = Payment { received, ..Payment::new(PaymentState::Succeeded, money(2000, "eur")) };
    assert_eq!(paid.map(|observation| &observation.object_state), Some(&ObjectState::Payment(expect)));
}

#[test]
fn a_payment_received_what_was_captured() {
    let intent = json!({"id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 2000,
        "amount_received": 1200, "currency": "eur", "metadata": {}});
    match object_state("payment_intent.succeeded", intent) {
        ObjectState::Payment(it) => {
            assert_eq!((it.amount, it.received), (money(2000, "eur"), Some(money(1200, "eur"))));
        }
        other => panic!("{other:?}"),
    }
}

/// A release's refund object looks like every other refund: core distinguishes them.
#[test]
fn an_old_version_makes_it_likely_that_a_refund_is_a_release() {
    let refund = json!({"id": "re_1", "object": "refund", "status": "succeeded", "amount": 800, "currency": "eur",
        "payment_intent": "pi_1", "metadata": {}});
    let of = |api_version: &str| lines(&versioned(api_version, "refund.created", refund.clone()));
    let shows = "payment:pi_1 shows refund:re_1 created";
    for version in ["2020-03-02", OLD] {
        assert_eq!(of(version), [shows, "payment:pi_1 shows release:version:pi_1 changed"], "{version}");
    }
    for version in [NEW, "2026-03-25.dahlia"] {
        assert_eq!(of(version), [shows], "{version}");
    }
    assert_eq!(lines(&facts("refund.created", refund.clone())), [shows]);
    let found = versioned(OLD, "refund.created", refund.clone());
    let release = found[1].observation.as_ref().map(|observation| observation.object_state.clone());
    assert_eq!(release, LIKELY.map(ObjectState::Release));
    // Both shapes show one refund. The difference is a separate object.
    let plain = ObjectState::Refund(Refund::new(RefundState::Succeeded, money(800, "eur")));
    for version in [OLD, NEW] {
        let found = versioned(version, "refund.created", refund.clone());
        assert_eq!(found[0].observation.as_ref().map(|observation| &observation.object_state), Some(&plain));
    }
    // Up to 2022-08-01 a refunded charge lists its refunds.
    let listing = with(charge(1200, 800), json!({"refunds": {"data": [refund]}}));
    assert_eq!(
        lines(&versioned("2020-03-02", "charge.refunded", listing)),
        [
            "payment:pi_1 shows charge:ch_1 changed of customer:cus_1",
            "payment:pi_1 shows release:version:pi_1 changed",
            "payment:pi_1 shows refund:re_1 changed",
        ]
    );
}
