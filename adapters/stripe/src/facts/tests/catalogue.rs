//! Customers, products and prices.

use purchase_core::fact::object_state::{Customer, Interval, IntervalUnit, Price, Private, Product};

use super::*;
use crate::tests::shape;

fn customer(over: Value) -> Value {
    with(json!({"id": "cus_1", "object": "customer", "email": "a@example.com", "name": null, "metadata": {}}), over)
}

#[test]
fn a_customer_is_read() {
    let expect = Customer {
        email: Some(Private::new("a@example.com")),
        name: None,
        deleted: false,
        archived: false,
        bare: false,
    };
    assert_eq!(object_state("customer.created", customer(json!({}))), ObjectState::Customer(expect.clone()));
    let ended = Customer { deleted: true, ..expect.clone() };
    assert_eq!(object_state("customer.deleted", customer(json!({}))), ObjectState::Customer(ended));
    let before = Customer { email: None, ..expect };
    assert_eq!(
        prior("customer.deleted", customer(json!({})), json!({"email": null})),
        Some(ObjectState::Customer(before))
    );
}

#[test]
fn a_customer_may_be_a_bare_tombstone() {
    let bare = Customer { email: None, name: None, deleted: true, archived: false, bare: true };
    let object = json!({"id": "cus_1", "object": "customer", "deleted": true});
    assert_eq!(object_state("customer.deleted", object.clone()), ObjectState::Customer(bare));
    assert_eq!(lines(&facts("customer.deleted", object)), ["customer:cus_1 shows customer:cus_1 ended"]);
}

#[test]
fn a_deleted_customer_may_still_show_who_it_was() {
    let expect = Customer {
        email: Some(Private::new("a@example.com")),
        name: None,
        deleted: true,
        archived: false,
        bare: false,
    };
    assert_eq!(object_state("customer.updated", customer(json!({"deleted": true}))), ObjectState::Customer(expect));
}

#[test]
fn a_customer_names_its_owner() {
    let owned = customer(json!({"metadata": {"purchase_customer_id": "u1"}}));
    let expect = ["customer:cus_1 shows customer:cus_1 changed of owner:u1"];
    assert_eq!(lines(&facts("customer.updated", owned.clone())), expect);
    // With Accounts v2 a customer names its account, which is not another customer.
    let account = with(owned, json!({"customer_account": "acct_1"}));
    assert_eq!(lines(&facts("customer.updated", account)), expect);
}

#[test]
fn a_bad_customer_names_the_path_and_not_the_value() {
    let check = |over, expect| assert_eq!(fault("customer.updated", customer(over)), expect);
    check(json!({"email": 5}), shape("data.object.email", "string", "integer"));
    check(json!({"deleted": "yes"}), shape("data.object.deleted", "boolean", "string"));
}

#[test]
fn a_product_is_read() {
    let object = json!({"id": "prod_1", "object": "product", "name": "Pro", "active": true, "metadata": {}});
    let expect = Product { name: Some("Pro".to_owned()), active: true, deleted: false, bare: false };
    assert_eq!(object_state("product.updated", object.clone()), ObjectState::Product(expect.clone()));
    assert_eq!(object_state("product.deleted", object), ObjectState::Product(Product { deleted: true, ..expect }));
    let bare = Product { name: None, active: false, deleted: true, bare: true };
    assert_eq!(object_state("product.deleted", json!({"id": "prod_1", "deleted": true})), ObjectState::Product(bare));
    assert_eq!(fault("product.created", json!({"id": "prod_1"})), shape("data.object.active", "boolean", "nothing"));
}

fn price(over: Value) -> Value {
    let base = json!({
        "id": "price_1", "object": "price", "active": true, "currency": "usd", "unit_amount": 400, "metadata": {},
        "unit_amount_decimal": "400", "product": "prod_1", "recurring": {"interval": "month", "interval_count": 3},
    });
    with(base, over)
}

#[test]
fn a_price_is_read() {
    let expect = Price {
        active: true,
        unit_amount: Some(money(400, "usd")),
        interval: Some(Interval { unit: IntervalUnit::Month, count: 3 }),
        deleted: false,
        bare: false,
    };
    let check =
        |event_type, over, expect| assert_eq!(object_state(event_type, price(over)), ObjectState::Price(expect));
    check("price.created", json!({}), expect.clone());
    check("price.deleted", json!({}), Price { deleted: true, ..expect.clone() });
    check("price.updated", json!({"deleted": true}), Price { deleted: true, ..expect.clone() });
    check("price.updated", json!({"recurring": null}), Price { interval: None, ..expect.clone() });
    let fraction = json!({"unit_amount": null, "unit_amount_decimal": "0.5"});
    check("price.updated", fraction, Price { unit_amount: None, ..expect });
    let bare = Price { active: false, unit_amount: None, interval: None, deleted: true, bare: true };
    assert_eq!(object_state("price.deleted", json!({"id": "price_1", "deleted": true})), ObjectState::Price(bare));
}

#[test]
fn a_price_names_its_product() {
    for product in [json!("prod_1"), json!({"id": "prod_1", "object": "product"})] {
        let metadata = json!({"purchase_offer_id": "o1"});
        assert_eq!(
            lines(&facts("price.created", price(json!({"product": product, "metadata": metadata})))),
            ["price:price_1 shows price:price_1 created of offer:o1 product:prod_1"]
        );
    }
}

#[test]
fn a_bad_price_names_the_path() {
    let check = |over, expect| assert_eq!(fault("price.updated", price(over)), expect);
    assert_eq!(
        fault("price.updated", without(price(json!({})), "active")),
        shape("data.object.active", "boolean", "nothing")
    );
    check(json!({"currency": null}), shape("data.object.currency", "three-letter currency code of ISO 4217", "null"));
    check(json!({"unit_amount": "400"}), shape("data.object.unit_amount", "integer minor units", "string"));
    check(json!({"recurring": {}}), shape("data.object.recurring.interval", "string", "nothing"));
}
