//! Payment intents, charges, refunds and disputes.

use purchase_core::fact::object_state::{
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

/// A charge of 2000 whose amounts decide everything.
fn whole(state: ChargeState, captured: i64, refunded: i64) -> Charge {
    Charge {
        state,
        amount: money(2000, "eur"),
        captured: Some(money(captured, "eur")),
        refunded: money(refunded, "eur"),
        may_count_release: false,
    }
}

fn payment(object: Value) -> (PaymentState, u8) {
    match object_state("payment_intent.processing", object) {
        ObjectState::Payment(Payment { state, step, amount, .. }) => {
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
            // A customer pays many times, so the customer's state keeps one statement for all payments.
            "customer:cus_1 of owner:u1(by others)",
            "invoice:in_1 of payment:pi_1",
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
            ["payment:pi_1 shows charge:ch_1 changed of customer:cus_1 invoice:in_1", "invoice:in_1 of payment:pi_1",]
        );
    }
}

/// Stripe copies an intent's metadata to the charge when the charge is made.
#[test]
fn a_charge_s_word_about_its_payment_is_as_old_as_the_charge() {
    let metadata = json!({"purchase_customer_id": "u1", "purchase_offer_id": "o1"});
    let found = |over| facts("charge.updated", with(charge(json!({ "metadata": metadata })), over));
    let made = found(json!({"created": 1_599_000_000}));
    assert_eq!(
        lines(&made),
        [
            "payment:pi_1 shows charge:ch_1 changed of customer:cus_1",
            "payment:pi_1 of owner:u1(by charge:ch_1) offer:o1(by charge:ch_1)",
        ]
    );
    let word = "payment:pi_1 of owner:u1(by charge:ch_1) offer:o1(by charge:ch_1)";
    assert_eq!(copies(&made), [format!("1599000000 {word}")]);
    assert_eq!(copies(&found(json!({}))), [format!("1600000000 {word}")]);
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
        ]
    );
    let state = |over| match &facts("charge.updated", object(over))[1]
        .observation
        .as_ref()
        .expect("an observation")
        .object_state
    {
        ObjectState::Payment(it) => it.state,
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
    let check = |over, state, captured, refunded| {
        let expect = whole(state, captured, refunded);
        assert_eq!(object_state("charge.updated", charge(over)), ObjectState::Charge(expect));
    };
    check(json!({}), ChargeState::Succeeded, 2000, 0);
    check(json!({"amount_refunded": 500}), ChargeState::Succeeded, 2000, 500);
    check(json!({"captured": false}), ChargeState::Pending, 0, 0);
    check(json!({"status": "pending"}), ChargeState::Pending, 2000, 0);
    check(json!({"status": "failed", "amount_captured": 0}), ChargeState::Failed, 0, 0);
    check(json!({"status": "odd"}), ChargeState::Unknown, 2000, 0);
    check(json!({"captured": null}), ChargeState::Succeeded, 2000, 0);
}

#[test]
fn a_refunded_charge_shows_the_total_before() {
    // The keys of an observed `charge.refunded`, 2025-12-15.clover.
    let previous = json!({"amount_refunded": 0, "receipt_url": null, "refunded": false});
    let before = prior("charge.refunded", charge(json!({"amount_refunded": 2000, "refunded": true})), previous);
    assert_eq!(before, Some(ObjectState::Charge(whole(ChargeState::Succeeded, 2000, 0))));
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
    let expect = Refund::new(RefundState::Succeeded, money(400, "eur"));
    assert_eq!(found[2].observation.as_ref().expect("an observation").object_state, ObjectState::Refund(expect));
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
        let expect = ObjectState::Refund(Refund::new(state, money(300, "jpy")));
        assert_eq!(object_state("refund.updated", refund(json!({"status": status}))), expect);
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
    // The refund's metadata describe only the refund: they don't name the payment's owner.
    let named = json!({"payment_intent": null, "metadata": {"purchase_customer_id": "u1", "purchase_offer_id": "o1"}});
    assert_eq!(found("refund.failed", named), ["payment:ch_1 shows refund:re_1 changed"]);
    let alone = json!({"payment_intent": null, "charge": null});
    assert_eq!(found("refund.updated", alone), ["payment:re_1 shows refund:re_1 changed"]);
}

#[test]
fn a_refund_that_fails_had_succeeded_before() {
    let before = |event_type| prior(event_type, refund(json!({"status": "failed"})), json!({"status": "succeeded"}));
    let expect = Refund::new(RefundState::Succeeded, money(300, "jpy"));
    assert_eq!(before("refund.updated"), Some(ObjectState::Refund(expect)));
    // `refund.updated` reports the same change, and one change must not be reported twice.
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
        let expect = ObjectState::Dispute(Dispute { state, amount: money(2000, "eur") });
        assert_eq!(object_state("charge.dispute.updated", object(status)), expect, "{status}");
    }
    let created = facts("charge.dispute.created", object("needs_response"));
    assert_eq!(lines(&created), ["payment:pi_1 shows dispute:dp_1 created"]);
    let old = with(object("lost"), json!({"payment_intent": null}));
    assert_eq!(lines(&facts("charge.dispute.closed", old)), ["payment:ch_1 shows dispute:dp_1 changed"]);
    let named = with(object("lost"), json!({"metadata": {"purchase_customer_id": "u1", "purchase_offer_id": "o1"}}));
    assert_eq!(lines(&facts("charge.dispute.closed", named)), ["payment:pi_1 shows dispute:dp_1 changed"]);
}

/// A resolution returns the money to the cardholder before there is a chargeback. A block stops the payment, so no
/// money has moved. Both end as `prevented`. `balance_transactions` show what was withdrawn and reinstated.
#[test]
fn a_dispute_takes_what_moved() {
    use DisputeState::*;
    let check = |status: &str, case: Value, moved: Value, state| {
        let object = json!({"id": "dp_1", "object": "dispute", "status": status, "amount": 2000, "currency": "eur",
            "charge": "ch_1", "payment_intent": "pi_1", "balance_transactions": moved,
            "payment_method_details": {"type": "card", "card": {"brand": "visa", "case_type": case}}});
        let expect = ObjectState::Dispute(Dispute { state, amount: money(2000, "eur") });
        assert_eq!(object_state("charge.dispute.updated", object), expect, "{status} {case} {moved}");
    };
    let withdrawn = || json!([{"id": "txn_1", "amount": -2000, "currency": "eur", "fee": 0, "net": -2000}]);
    let reinstated = || json!([{"id": "txn_1", "amount": -2000}, {"id": "txn_2", "amount": 2000}]);
    for case in [json!("resolution"), json!("block"), json!("chargeback"), json!(null)] {
        check("prevented", case.clone(), withdrawn(), Lost);
        check("prevented", case, reinstated(), Closed);
    }
    // The movement may come after the event of the dispute. The case type then says what will happen.
    for moved in [json!([]), json!(null)] {
        check("prevented", json!("resolution"), moved.clone(), Lost);
        check("prevented", json!("block"), moved.clone(), Closed);
        check("prevented", json!(null), moved.clone(), Closed);
        check("needs_response", json!("inquiry"), moved.clone(), Inquiry);
        check("under_review", json!("inquiry"), moved.clone(), Inquiry);
        check("lost", json!("inquiry"), moved.clone(), Closed);
    }
    for case in [json!("chargeback"), json!("compliance"), json!(null)] {
        check("needs_response", case.clone(), withdrawn(), Open);
        check("under_review", case.clone(), withdrawn(), Open);
        check("lost", case.clone(), withdrawn(), Lost);
        check("won", case, reinstated(), Won);
    }
}

/// `balance_transactions` show what was withdrawn and reinstated as a result of the dispute: withdrawn money is gone,
/// however the dispute began.
#[test]
fn money_that_was_withdrawn_counts_whatever_the_case_type() {
    let state = |status: &str, moved: Value| {
        let object = json!({"id": "dp_1", "object": "dispute", "status": status, "amount": 2000, "currency": "eur",
            "payment_intent": "pi_1", "balance_transactions": moved,
            "payment_method_details": {"type": "card", "card": {"brand": "amex", "case_type": "inquiry"}}});
        match object_state("charge.dispute.updated", object) {
            ObjectState::Dispute(it) => it.state,
            other => panic!("{other:?}"),
        }
    };
    let withdrawn = || json!([{"id": "txn_1", "amount": -2000}]);
    assert_eq!(state("needs_response", withdrawn()), DisputeState::Open);
    assert_eq!(state("under_review", withdrawn()), DisputeState::Open);
    assert_eq!(state("lost", withdrawn()), DisputeState::Lost);
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
