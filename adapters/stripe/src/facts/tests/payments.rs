//! Payment intents, charges, refunds and disputes.

use purchase_core::fact::photo::{
    Charge, ChargeState, Dispute, DisputeState, Payment, PaymentState, Refund, RefundState,
};

use super::*;
use crate::tests::shape;

fn intent(over: Value) -> Value {
    let base = json!({
        "id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount": 2000, "currency": "eur",
        "customer": "cus_1", "metadata": {}, "last_payment_error": null,
    });
    with(base, over)
}

fn charge(over: Value) -> Value {
    let base = json!({
        "id": "ch_1", "object": "charge", "status": "succeeded", "captured": true, "amount": 2000,
        "amount_refunded": 0, "currency": "eur", "customer": "cus_1", "payment_intent": "pi_1", "metadata": {},
    });
    with(base, over)
}

fn payment(object: Value) -> (PaymentState, u8) {
    match photo("payment_intent.processing", object) {
        Photo::Payment(Payment { state, step, amount, received: _, items: _ }) => {
            assert_eq!(amount, money(2000, "eur"));
            (state, step)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_payment_intent_has_a_state_and_a_step() {
    use PaymentState::*;
    let check = |over, expect| assert_eq!(payment(intent(over)), expect);
    check(json!({"status": "requires_payment_method"}), (Pending, 0));
    check(json!({"status": "requires_payment_method", "last_payment_error": {"code": "card_declined"}}), (Failed, 0));
    check(json!({"status": "requires_confirmation"}), (Pending, 1));
    check(json!({"status": "requires_action"}), (Pending, 2));
    check(json!({"status": "processing"}), (Processing, 0));
    check(json!({"status": "requires_capture"}), (Authorized, 0));
    check(json!({"status": "succeeded"}), (Succeeded, 0));
    check(json!({"status": "canceled"}), (Canceled, 0));
    check(json!({"status": "requires_patience"}), (Unknown, 0));
}

#[test]
fn a_payment_intent_ties_customer_owner_offer_and_its_old_invoice() {
    let over = json!({"invoice": "in_1", "metadata": {"purchase_customer_id": "u1", "purchase_offer_id": "o1"}});
    assert_eq!(
        lines(&facts("payment_intent.created", intent(over))),
        [
            "payment:pi_1 shows payment:pi_1 created of customer:cus_1 owner:u1 offer:o1 invoice:in_1",
            "customer:cus_1 of owner:u1",
        ]
    );
    assert_eq!(
        lines(&facts("payment_intent.succeeded", intent(json!({"customer": null})))),
        ["payment:pi_1 shows payment:pi_1 changed"]
    );
}

#[test]
fn a_charge_is_a_member_of_its_payment() {
    for payment_intent in [json!("pi_1"), json!({"id": "pi_1", "object": "payment_intent"})] {
        let over = json!({"payment_intent": payment_intent, "invoice": {"id": "in_1"}});
        assert_eq!(
            lines(&facts("charge.succeeded", charge(over))),
            ["payment:pi_1 shows charge:ch_1 changed of customer:cus_1 invoice:in_1"]
        );
    }
}

#[test]
fn a_direct_charge_is_the_payment_as_well() {
    let object = |over: Value| with(charge(json!({"payment_intent": null})), over);
    let found = facts("charge.succeeded", object(json!({"metadata": {"purchase_customer_id": "u1"}})));
    assert_eq!(
        lines(&found),
        [
            "payment:ch_1 shows charge:ch_1 changed of customer:cus_1 owner:u1",
            "payment:ch_1 shows payment:ch_1 changed",
            "customer:cus_1 of owner:u1",
        ]
    );
    let state = |over| match &facts("charge.updated", object(over))[1].sight.as_ref().expect("a sight").photo {
        Photo::Payment(it) => it.state,
        other => panic!("{other:?}"),
    };
    assert_eq!(state(json!({})), PaymentState::Succeeded);
    assert_eq!(state(json!({"captured": false})), PaymentState::Authorized);
    assert_eq!(state(json!({"status": "pending"})), PaymentState::Processing);
    assert_eq!(state(json!({"status": "failed"})), PaymentState::Failed);
    assert_eq!(state(json!({"status": "odd"})), PaymentState::Unknown);
}

#[test]
fn a_charge_has_come_only_when_it_is_captured() {
    let check = |over, state, refunded| {
        let expect = Charge { state, amount: money(2000, "eur"), refunded: money(refunded, "eur") };
        assert_eq!(photo("charge.updated", charge(over)), Photo::Charge(expect));
    };
    check(json!({}), ChargeState::Succeeded, 0);
    check(json!({"amount_refunded": 500}), ChargeState::Succeeded, 500);
    check(json!({"captured": false}), ChargeState::Pending, 0);
    check(json!({"status": "pending"}), ChargeState::Pending, 0);
    check(json!({"status": "failed"}), ChargeState::Failed, 0);
    check(json!({"status": "odd"}), ChargeState::Unknown, 0);
    check(json!({"captured": null}), ChargeState::Succeeded, 0);
}

#[test]
fn a_refunded_charge_shows_the_total_before() {
    // The keys of an observed `charge.refunded`, 2025-12-15.clover.
    let previous = json!({"amount_refunded": 0, "receipt_url": null, "refunded": false});
    let before = prior("charge.refunded", charge(json!({"amount_refunded": 2000, "refunded": true})), previous);
    let expect = Charge { state: ChargeState::Succeeded, amount: money(2000, "eur"), refunded: money(0, "eur") };
    assert_eq!(before, Some(Photo::Charge(expect)));
}

#[test]
fn an_old_refunded_charge_brings_its_refunds() {
    let refund = |id: &str, amount: i64| {
        json!({"id": id, "amount": amount, "currency": "eur", "status": "succeeded",
        "payment_intent": "pi_1", "charge": "ch_1", "metadata": {}})
    };
    let object = |refunds: Value| charge(json!({"amount_refunded": 700, "refunds": refunds}));
    let list = json!({"data": [refund("re_1", 300), refund("re_2", 400), refund("re_1", 300)]});
    let found = facts("charge.refunded", object(list.clone()));
    assert_eq!(
        lines(&found),
        [
            "payment:pi_1 shows charge:ch_1 changed of customer:cus_1",
            "payment:pi_1 shows refund:re_1 changed",
            "payment:pi_1 shows refund:re_2 changed",
        ]
    );
    let expect = Refund { state: RefundState::Succeeded, amount: money(400, "eur") };
    assert_eq!(found[2].sight.as_ref().expect("a sight").photo, Photo::Refund(expect));
    assert_eq!(facts("charge.updated", object(list)).len(), 1);
    assert_eq!(
        fault("charge.refunded", object(json!({"data": [{"id": "re_1", "currency": "eur"}]}))),
        shape("data.object.refunds.data[0].amount", "integer minor units", "nothing")
    );
}

fn refund(over: Value) -> Value {
    let base = json!({"id": "re_1", "object": "refund", "status": "succeeded", "amount": 300, "currency": "jpy",
        "payment_intent": "pi_1", "charge": "ch_1", "metadata": {}});
    with(base, over)
}

#[test]
fn a_refund_has_a_state() {
    use RefundState::*;
    let check = |status: Value, state| {
        let expect = Photo::Refund(Refund { state, amount: money(300, "jpy") });
        assert_eq!(photo("refund.updated", refund(json!({"status": status}))), expect);
    };
    check(json!("pending"), Pending);
    check(json!("requires_action"), RequiresAction);
    check(json!("succeeded"), Succeeded);
    check(json!("failed"), Failed);
    check(json!("canceled"), Canceled);
    check(json!("odd"), Unknown);
    check(json!(null), Unknown);
}

#[test]
fn a_refund_is_a_member_of_its_payment() {
    let found = |event_type, over| lines(&facts(event_type, refund(over)));
    assert_eq!(found("refund.created", json!({})), ["payment:pi_1 shows refund:re_1 created"]);
    let expanded = json!({"payment_intent": {"id": "pi_1"}, "charge": {"id": "ch_1"}});
    assert_eq!(found("charge.refund.updated", expanded), ["payment:pi_1 shows refund:re_1 changed"]);
    let owned = json!({"payment_intent": null, "metadata": {"purchase_customer_id": "u1"}});
    assert_eq!(found("refund.failed", owned), ["payment:ch_1 shows refund:re_1 changed of owner:u1"]);
    let alone = json!({"payment_intent": null, "charge": null});
    assert_eq!(found("refund.updated", alone), ["payment:re_1 shows refund:re_1 changed"]);
}

#[test]
fn a_refund_that_fails_had_succeeded_before() {
    let before = |event_type| prior(event_type, refund(json!({"status": "failed"})), json!({"status": "succeeded"}));
    let expect = Refund { state: RefundState::Succeeded, amount: money(300, "jpy") };
    assert_eq!(before("refund.updated"), Some(Photo::Refund(expect)));
    // The same change is told by `refund.updated`, and one edge must not come twice.
    assert_eq!(before("refund.failed"), None);
}

#[test]
fn a_dispute_has_a_state_and_belongs_to_its_payment() {
    use DisputeState::*;
    let object = |status: &str| {
        json!({"id": "dp_1", "object": "dispute", "status": status, "amount": 2000,
        "currency": "eur", "charge": "ch_1", "payment_intent": "pi_1", "metadata": {}})
    };
    let cases = [
        ("needs_response", Open),
        ("under_review", Open),
        ("warning_needs_response", Inquiry),
        ("warning_under_review", Inquiry),
        ("warning_closed", Closed),
        ("prevented", Closed),
        ("won", Won),
        ("lost", Lost),
        ("odd", Unknown),
    ];
    for (status, state) in cases {
        let expect = Photo::Dispute(Dispute { state, amount: money(2000, "eur") });
        assert_eq!(photo("charge.dispute.updated", object(status)), expect, "{status}");
    }
    let created = facts("charge.dispute.created", object("needs_response"));
    assert_eq!(lines(&created), ["payment:pi_1 shows dispute:dp_1 created"]);
    let old = with(object("lost"), json!({"payment_intent": null}));
    assert_eq!(lines(&facts("charge.dispute.closed", old)), ["payment:ch_1 shows dispute:dp_1 changed"]);
}

#[test]
fn a_bad_payment_names_the_path() {
    assert_eq!(
        fault("payment_intent.succeeded", intent(json!({"amount": null}))),
        shape("data.object.amount", "integer minor units", "null")
    );
    assert_eq!(
        fault("charge.succeeded", charge(json!({"payment_intent": {"object": "payment_intent"}}))),
        shape("data.object.payment_intent.id", "id", "nothing")
    );
    assert_eq!(
        fault("charge.succeeded", charge(json!({"captured": "yes"}))),
        shape("data.object.captured", "boolean", "string")
    );
    assert_eq!(fault("refund.created", refund(json!({"id": 5}))), shape("data.object.id", "id", "integer"));
}

/// What was authorized and not captured never came, so it can't have gone back.
#[test]
fn a_partial_capture_is_no_refund() {
    let part = json!({"amount_captured": 1200, "amount_refunded": 800});
    let Photo::Charge(part) = photo("charge.captured", charge(part)) else { panic!("a charge") };
    assert_eq!(part.refunded, money(0, "eur"));
    let all = json!({"amount_captured": 1200, "amount_refunded": 2000});
    let Photo::Charge(all) = photo("charge.refunded", charge(all)) else { panic!("a charge") };
    assert_eq!(all.refunded, money(1200, "eur"));
    let released = json!({"captured": false, "amount_captured": 0, "amount_refunded": 2000});
    let Photo::Charge(released) = photo("charge.refunded", charge(released)) else { panic!("a charge") };
    assert_eq!(released.refunded, money(0, "eur"));
    // Charges of old API versions don't say how much was captured.
    let old = json!({"captured": false, "amount_refunded": 2000});
    let Photo::Charge(old) = photo("charge.refunded", charge(old)) else { panic!("a charge") };
    assert_eq!(old.refunded, money(0, "eur"));
    let Photo::Payment(paid) = photo("payment_intent.succeeded", intent(json!({"amount_received": 1200}))) else {
        panic!("a payment")
    };
    assert_eq!(paid.received, Some(money(1200, "eur")));
    let direct = json!({"payment_intent": null, "amount_captured": 1200, "amount_refunded": 800});
    let found = facts("charge.captured", charge(direct));
    let Some(Photo::Payment(paid)) = found[1].sight.as_ref().map(|sight| &sight.photo) else { panic!("a payment") };
    assert_eq!((paid.amount, paid.received), (money(2000, "eur"), Some(money(1200, "eur"))));
}
