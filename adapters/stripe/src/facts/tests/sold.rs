//! Tests of the one-time items of an invoice, from its lines in the shapes before and since `2025-03-31.basil`.

use purchase_core::{
    fact::object_state::{Invoice, Item},
    id::ProviderId,
};

use super::*;
use crate::tests::shape;

/// A line of an invoice item since `2025-03-31.basil`.
fn new_line(price: &str, quantity: Value) -> Value {
    json!({
        "id": "il_1", "object": "line_item", "amount": 1000, "currency": "usd", "quantity": quantity,
        "parent": {"type": "invoice_item_details", "subscription_item_details": null,
            "invoice_item_details": {"invoice_item": "ii_1", "proration": false, "subscription": null}},
        "pricing": {"type": "price_details", "price_details": {"price": price, "product": "prod_1"}},
    })
}

/// The same line before `2025-03-31.basil`.
fn old_line(price: &str, quantity: Value) -> Value {
    json!({
        "id": "il_1", "object": "line_item", "amount": 1000, "currency": "usd", "quantity": quantity,
        "type": "invoiceitem", "proration": false, "price": {"id": price, "object": "price"},
    })
}

/// The lines of a subscription's items, in both shapes.
fn recurring_lines() -> [Value; 2] {
    let parent = json!({"type": "subscription_item_details", "invoice_item_details": null,
        "subscription_item_details": {"proration": false, "subscription": "sub_1", "subscription_item": "si_1"}});
    [
        with(new_line("price_month", json!(1)), json!({"parent": parent})),
        with(old_line("price_month", json!(1)), json!({"type": "subscription"})),
    ]
}

fn invoice(billing_reason: &str, lines: &[Value]) -> Value {
    json!({
        "id": "in_1", "object": "invoice", "status": "paid", "currency": "usd", "total": 1000, "amount_paid": 1000,
        "attempt_count": 1, "billing_reason": billing_reason, "customer": "cus_1", "metadata": {},
        "lines": {"object": "list", "data": lines, "has_more": false},
    })
}

/// The fields that say that an invoice bills a subscription, in both shapes.
fn of_subscription() -> [Value; 2] {
    [
        json!({"parent": {"type": "subscription_details", "subscription_details": {"subscription": "sub_1"}}}),
        json!({"subscription": "sub_1"}),
    ]
}

fn sold(object: Value) -> Vec<Item> {
    match object_state("invoice.paid", object) {
        ObjectState::Invoice(Invoice { sold, .. }) => sold,
        other => panic!("{other:?}"),
    }
}

fn item(price: &str, quantity: u64) -> Item {
    Item { price: ProviderId::new(price).expect("id"), quantity: Some(quantity) }
}

#[test]
fn an_invoice_without_a_subscription_sells_its_lines() {
    for line in [new_line, old_line] {
        let lines = [line("price_b", json!(2)), line("price_a", json!(1)), line("price_b", json!(3))];
        assert_eq!(sold(invoice("manual", &lines)), [item("price_a", 1), item("price_b", 5)]);
        // A line without a quantity counts as one; a quantity of zero counts as none.
        assert_eq!(sold(invoice("manual", &[line("price_a", json!(null))])), [item("price_a", 1)]);
        assert_eq!(sold(invoice("manual", &[without(line("price_a", json!(1)), "quantity")])), [item("price_a", 1)]);
        assert_eq!(sold(invoice("manual", &[line("price_a", json!(0))])), [item("price_a", 0)]);
    }
    let expanded = with(old_line("price_a", json!(1)), json!({"price": "price_a"}));
    assert_eq!(sold(invoice("manual", &[expanded])), [item("price_a", 1)]);
}

/// One-time prices of a checkout are added to the subscription's first invoice; a later invoice item is a fee or a
/// correction.
#[test]
fn a_subscription_s_first_invoice_sells_what_came_with_it() {
    for (line, (over, recurring)) in
        [new_line, old_line].into_iter().zip(of_subscription().into_iter().zip(recurring_lines()))
    {
        let lines = [recurring, line("price_setup", json!(1))];
        let bills = |reason| sold(with(invoice(reason, &lines), over.clone()));
        assert_eq!(bills("subscription_create"), [item("price_setup", 1)]);
        for later in ["subscription_cycle", "subscription_update", "subscription_threshold", "subscription", "manual"] {
            assert_eq!(bills(later), [], "{later}");
        }
    }
}

#[test]
fn prorations_and_what_is_given_back_sell_nothing() {
    let details = json!({"type": "invoice_item_details",
        "invoice_item_details": {"invoice_item": "ii_1", "proration": true, "subscription": "sub_1"}});
    let prorations = [
        with(new_line("price_a", json!(1)), json!({"parent": details})),
        with(old_line("price_a", json!(1)), json!({"proration": true})),
    ];
    for line in prorations {
        assert_eq!(sold(invoice("manual", &[line])), []);
    }
    for line in [new_line, old_line] {
        let amount = |amount| sold(invoice("manual", &[with(line("price_a", json!(1)), json!({"amount": amount}))]));
        assert_eq!(amount(-1), []);
        // A free item was sold too.
        assert_eq!(amount(0), [item("price_a", 1)]);
    }
    for line in recurring_lines() {
        assert_eq!(sold(invoice("manual", &[line])), []);
    }
}

#[test]
fn an_invoice_without_lines_or_prices_sells_nothing() {
    assert_eq!(sold(without(invoice("manual", &[]), "lines")), []);
    let unpriced = [
        with(new_line("price_a", json!(1)), json!({"pricing": null})),
        with(old_line("price_a", json!(1)), json!({"price": null})),
    ];
    for line in unpriced {
        assert_eq!(sold(invoice("manual", &[line])), []);
    }
}

#[test]
fn a_bad_line_names_the_path() {
    let check = |line, expect| assert_eq!(fault("invoice.paid", invoice("manual", &[line])), expect);
    let quantity = |found| shape("data.object.lines.data[0].quantity", "whole quantity of at most 2^53 - 1", found);
    for line in [new_line, old_line] {
        check(line("price_a", json!(0.5)), quantity("fraction"));
        check(line("price_a", json!(-1)), quantity("negative integer"));
        check(line("price_a", json!(1_u64 << 53)), quantity("integer"));
    }
    let odd = with(old_line("price_a", json!(1)), json!({"price": 7}));
    check(odd, shape("data.object.lines.data[0].price", "id", "integer"));
}

#[test]
fn the_lines_before_a_change_are_read_through_the_previous_attributes() {
    let lines = json!({"data": [new_line("price_old", json!(4))], "object": "list"});
    let changed = invoice("manual", &[new_line("price_a", json!(1))]);
    match prior("invoice.updated", changed, json!({"lines": lines})) {
        Some(ObjectState::Invoice(before)) => assert_eq!(before.sold, [item("price_old", 4)]),
        other => panic!("{other:?}"),
    }
}
