//! Invoices and invoice payments, in the shapes before and since `2025-03-31.basil`.

use purchase_core::fact::object_state::{Credit, CreditState, Invoice, InvoiceState};

use super::*;
use crate::tests::shape;

fn new_invoice() -> Value {
    json!({
        "id": "in_1", "object": "invoice", "status": "paid", "currency": "usd", "total": 2000, "amount_paid": 1500,
        "attempt_count": 2, "billing_reason": "subscription_cycle", "customer": "cus_1", "metadata": {},
        "status_transitions": {"finalized_at": 10, "paid_at": 20, "voided_at": null, "marked_uncollectible_at": null},
        "parent": {"type": "subscription_details", "subscription_details": {
            "subscription": "sub_1", "metadata": {"purchase_customer_id": "u1", "purchase_offer_id": "o1"}}},
        "payments": {"data": [
            {"status": "paid", "payment": {"type": "payment_intent", "payment_intent": "pi_1"}},
            {"status": "canceled", "payment": {"type": "payment_intent", "payment_intent": "pi_0"}},
        ]},
    })
}

fn old_invoice() -> Value {
    let base = without(without(new_invoice(), "parent"), "payments");
    let metadata = json!({"purchase_customer_id": "u1", "purchase_offer_id": "o1"});
    with(
        base,
        json!({"subscription": {"id": "sub_1"}, "payment_intent": "pi_1", "charge": "ch_1", "paid": true,
        "subscription_details": {"metadata": metadata}}),
    )
}

fn invoice(event_type: &str, object: Value) -> Invoice {
    match object_state(event_type, object) {
        ObjectState::Invoice(it) => it,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_invoice_is_read() {
    let expect = Invoice {
        state: InvoiceState::Paid,
        total: money(2000, "usd"),
        amount_paid: money(1500, "usd"),
        attempts: 2,
        renews: true,
        sold: Vec::new(),
        finalized_at: Some(at(10)),
        paid_at: Some(at(20)),
        voided_at: None,
        deleted: false,
    };
    assert_eq!(invoice("invoice.paid", new_invoice()), expect);
    assert_eq!(invoice("invoice.payment_succeeded", old_invoice()), expect);
}

#[test]
fn an_invoice_has_a_state() {
    use InvoiceState::*;
    let state = |over| invoice("invoice.updated", with(new_invoice(), over)).state;
    let statuses = ["draft", "open", "paid", "void", "uncollectible", "deleted", "lost"];
    let expect = [Draft, Open, Paid, Void, Uncollectible, Draft, Unknown];
    assert_eq!(statuses.map(|status| state(json!({"status": status}))), expect);
    assert_eq!(state(json!({"status": null})), Unknown);
    assert_eq!(state(json!({"status": null, "paid": true})), Paid);
    assert_eq!(state(json!({"status": "open", "paid": true})), Open);
}

#[test]
fn a_deleted_invoice_was_not_deleted_before() {
    let draft = with(new_invoice(), json!({"status": "draft"}));
    assert!(invoice("invoice.deleted", draft.clone()).deleted);
    assert!(!invoice("invoice.updated", draft.clone()).deleted);
    let Some(ObjectState::Invoice(before)) = prior("invoice.deleted", draft, json!({"total": 1000})) else {
        panic!("evidence")
    };
    assert_eq!((before.deleted, before.total), (false, money(1000, "usd")));
}

#[test]
fn an_invoice_before_its_payment_is_read_through_the_previous_attributes() {
    // The keys of a recorded `invoice.updated`, 2025-11-17.clover.
    let previous = json!({"amount_paid": 0, "amount_remaining": 1500, "attempt_count": 0, "attempted": false,
        "status": "open", "status_transitions": {"paid_at": null}});
    let Some(ObjectState::Invoice(before)) = prior("invoice.updated", new_invoice(), previous) else {
        panic!("evidence")
    };
    assert_eq!(before.state, InvoiceState::Open);
    assert_eq!((before.amount_paid, before.attempts), (money(0, "usd"), 0));
    assert_eq!((before.finalized_at, before.paid_at), (Some(at(10)), None));
}

#[test]
fn an_invoice_ties_subscription_payment_and_owner() {
    for object in [new_invoice(), old_invoice()] {
        assert_eq!(
            lines(&facts("invoice.paid", object)),
            [
                "invoice:in_1 shows invoice:in_1 changed of customer:cus_1 subscription:sub_1 payment:pi_1",
                "invoice:in_1 of owner:u1(by subscription:sub_1)",
                "payment:pi_1 of customer:cus_1 invoice:in_1 subscription:sub_1",
                "payment:pi_1 of owner:u1(by subscription:sub_1)",
                "subscription:sub_1 of customer:cus_1",
                "subscription:sub_1 of owner:u1(by subscription:sub_1)",
                "customer:cus_1 of owner:u1(by subscription:sub_1)",
            ]
        );
    }
}

#[test]
fn an_invoice_may_have_another_owner_than_its_subscription() {
    let metadata = json!({"purchase_customer_id": "u2"});
    assert_eq!(
        lines(&facts("invoice.paid", with(new_invoice(), json!({"metadata": metadata})))),
        [
            "invoice:in_1 shows invoice:in_1 changed of customer:cus_1 owner:u2 subscription:sub_1 payment:pi_1",
            "invoice:in_1 of owner:u1(by subscription:sub_1)",
            "payment:pi_1 of customer:cus_1 invoice:in_1 subscription:sub_1",
            // The payment pays the invoice, whoever owns the subscription.
            "payment:pi_1 of owner:u2(by invoice:in_1)",
            "subscription:sub_1 of customer:cus_1",
            "subscription:sub_1 of owner:u1(by subscription:sub_1)",
            "customer:cus_1 of owner:u1(by subscription:sub_1)",
        ]
    );
}

#[test]
fn an_invoice_of_its_own_ties_only_what_it_names() {
    let over =
        json!({"parent": null, "customer": null, "metadata": {"purchase_customer_id": "u2", "purchase_offer_id": ""}});
    let object = without(with(new_invoice(), over), "payments");
    assert_eq!(lines(&facts("invoice.created", object)), ["invoice:in_1 shows invoice:in_1 created of owner:u2"]);
    let named = json!({"parent": null, "metadata": {"purchase_customer_id": "u2"}});
    assert_eq!(
        lines(&facts("invoice.created", without(with(new_invoice(), named), "payments"))),
        [
            "invoice:in_1 shows invoice:in_1 created of customer:cus_1 owner:u2",
            // A customer has many invoices, so the customer's state keeps one statement for all of them.
            "customer:cus_1 of owner:u2(by others)",
        ]
    );
    let direct =
        with(without(old_invoice(), "subscription_details"), json!({"payment_intent": null, "subscription": null}));
    assert_eq!(
        lines(&facts("invoice.paid", direct)),
        [
            "invoice:in_1 shows invoice:in_1 changed of customer:cus_1 payment:ch_1",
            "payment:ch_1 of customer:cus_1 invoice:in_1",
        ]
    );
}

/// `parent.subscription_details.metadata` are an immutable copy of the subscription's metadata at the finalization.
/// Before that, they are a copy from the draft's creation.
#[test]
fn the_copy_of_the_subscription_s_word_is_as_old_as_the_copy() {
    let found = |object: Value| copies(&facts("invoice.updated", object));
    let expect = |second: i64| {
        ["invoice:in_1", "payment:pi_1", "subscription:sub_1", "customer:cus_1"]
            .map(|subject| format!("{second} {subject} of owner:u1(by subscription:sub_1)"))
    };
    let draft = json!({"created": 5, "status": "draft", "status_transitions": {"finalized_at": null}});
    for object in [new_invoice(), old_invoice()] {
        assert_eq!(found(with(object.clone(), json!({"created": 5}))), expect(10));
        assert_eq!(found(with(object.clone(), draft.clone())), expect(5));
    }
    // Without either time, the copy can be as new as the event.
    let timeless = with(new_invoice(), json!({"status_transitions": null}));
    assert_eq!(found(timeless), expect(1_600_000_000));
    // A repeated statement is never newer than the event.
    let ahead = with(new_invoice(), json!({"status_transitions": {"finalized_at": 1_700_000_000}}));
    assert_eq!(found(ahead), expect(1_600_000_000));
}

/// Its own metadata can change after the finalization.
#[test]
fn an_invoice_s_own_word_is_as_old_as_the_event() {
    let over = json!({"parent": null, "created": 5, "metadata": {"purchase_customer_id": "u2"}});
    let found = facts("invoice.updated", with(new_invoice(), over));
    assert_eq!(
        copies(&found),
        ["1600000000 payment:pi_1 of owner:u2(by invoice:in_1)", "1600000000 customer:cus_1 of owner:u2(by others)",]
    );
}

#[test]
fn an_announced_invoice_is_not_there_yet() {
    let preview = with(without(new_invoice(), "id"), json!({"status": "draft"}));
    assert_eq!(facts("invoice.upcoming", preview.clone()), []);
    assert_eq!(facts("invoice.upcoming", with(preview.clone(), json!({"id": "upcoming_in_1"}))), []);
    assert_eq!(facts("invoice.will_be_due", preview), []);
    let open = with(new_invoice(), json!({"status": "open"}));
    assert_eq!(invoice("invoice.will_be_due", open).state, InvoiceState::Open);
}

#[test]
fn an_invoice_payment_only_ties() {
    let object = |payment| json!({"id": "inpay_1", "object": "invoice_payment", "invoice": "in_1", "payment": payment});
    let paid = |payment| lines(&facts("invoice_payment.paid", object(payment)));
    let expect =
        |payment: &str| [format!("payment:{payment} of invoice:in_1"), format!("invoice:in_1 of payment:{payment}")];
    assert_eq!(paid(json!({"type": "payment_intent", "payment_intent": "pi_1"})), expect("pi_1"));
    assert_eq!(paid(json!({"type": "charge", "charge": {"id": "ch_1"}})), expect("ch_1"));
    assert_eq!(paid(json!({"type": "payment_record", "payment_record": "pr_1"})), [""; 0]);
    let orphan = json!({"id": "inpay_1", "payment": {}});
    assert_eq!(fault("invoice_payment.paid", orphan), shape("data.object.invoice", "id", "nothing"));
}

#[test]
fn a_bad_invoice_names_the_path() {
    let check = |over, expect| assert_eq!(fault("invoice.updated", with(new_invoice(), over)), expect);
    check(json!({"total": "2000"}), shape("data.object.total", "integer minor units", "string"));
    check(json!({"total": 20.5}), shape("data.object.total", "integer minor units", "fraction"));
    check(
        json!({"currency": "zz1"}),
        shape(
            "data.object.currency",
            "three-letter currency code of ISO 4217",
            "a string with other characters than letters",
        ),
    );
    check(json!({"parent": "sub_1"}), shape("data.object.parent", "object", "string"));
    check(
        json!({"status_transitions": {"paid_at": true}}),
        shape("data.object.status_transitions.paid_at", "integer seconds", "boolean"),
    );
    check(
        json!({"payments": {"data": [{"payment": {"payment_intent": 7}}]}}),
        shape("data.object.payments.data[0].payment.payment_intent", "id", "integer"),
    );
}

#[test]
fn a_credit_note_is_a_credit_of_its_invoice() {
    let note = |status: &str| {
        json!({"id": "cn_1", "object": "credit_note", "invoice": "in_1", "customer": "cus_1", "status": status,
        "amount": 500, "currency": "eur"})
    };
    let states = [("issued", CreditState::Issued), ("void", CreditState::Reversed), ("odd", CreditState::Unknown)];
    for (status, state) in states {
        let expect = ObjectState::Credit(Credit { state, amount: money(500, "eur") });
        assert_eq!(object_state("credit_note.updated", note(status)), expect, "{status}");
    }
    assert_eq!(
        lines(&facts("credit_note.created", note("issued"))),
        ["invoice:in_1 shows credit:cn_1 created of customer:cus_1"]
    );
    // The invoice sold what is credited: the credit's metadata name neither its owner nor its offer.
    let metadata = json!({"metadata": {"purchase_customer_id": "u1", "purchase_offer_id": "o1"}});
    assert_eq!(
        lines(&facts("credit_note.created", with(note("issued"), metadata))),
        ["invoice:in_1 shows credit:cn_1 created of customer:cus_1"]
    );
    assert_eq!(
        fault("credit_note.voided", with(note("void"), json!({"invoice": null}))),
        shape("data.object.invoice", "id", "null")
    );
}
