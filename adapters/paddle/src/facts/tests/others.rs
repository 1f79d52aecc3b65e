//! Tests of customers, products and prices.

use purchase_core::fact::object_state::{Customer, Interval, IntervalUnit, Price, Private, Product};

use super::*;

#[test]
fn a_customer_is_archived_and_never_deleted() {
    let object = |over| {
        with(
            json!({"id": "ctm_1", "email": "sam@example.com", "name": null, "status": "active", "custom_data": null}),
            over,
        )
    };
    let customer = |archived| {
        let email = Some(Private::new("sam@example.com"));
        ObjectState::Customer(Customer { email, name: None, deleted: false, archived, bare: false })
    };
    assert_eq!(object_state("customer.created", object(json!({}))), customer(false));
    assert_eq!(object_state("customer.updated", object(json!({"status": "archived"}))), customer(true));
    assert_eq!(object_state("customer.updated", object(json!({"status": "hibernating"}))), customer(false));
    assert_eq!(lines(&facts("customer.imported", object(json!({})))), ["customer:ctm_1 shows customer:ctm_1 created"]);
}

#[test]
fn a_customer_s_custom_data_are_the_application_s() {
    let told = |custom_data: Value| {
        let body = event("customer.updated", json!({"id": "ctm_1", "email": null, "custom_data": custom_data}));
        lines(&read_with(|_| {}, &body).expect("facts")).join("; ")
    };
    let shown = "customer:ctm_1 shows customer:ctm_1 changed";
    assert_eq!(told(json!({"purchase_customer_id": "cust-1"})), format!("{shown} of owner:cust-1"));
    for nothing in [json!(null), json!("remove"), json!({}), json!({"purchase_customer_id": ""})] {
        assert_eq!(told(nothing), shown);
    }
}

#[test]
fn a_product_is_sold_while_it_is_active() {
    let shown =
        |over| object_state("product.updated", with(json!({"id": "pro_1", "name": "Pro", "status": "active"}), over));
    let product =
        |active| ObjectState::Product(Product { name: Some("Pro".to_owned()), active, deleted: false, bare: false });
    assert_eq!(shown(json!({})), product(true));
    assert_eq!(shown(json!({"status": "remove"})), product(true));
    assert_eq!(shown(json!({"status": "archived"})), product(false));
    assert_eq!(shown(json!({"status": "hibernating"})), product(false));
}

#[test]
fn a_price_has_an_amount_and_perhaps_an_interval() {
    let object = |over| {
        let object = json!({
            "id": "pri_1", "product_id": "pro_1", "status": "active", "billing_cycle": null,
            "unit_price": {"amount": "500", "currency_code": "JPY"},
        });
        with(object, over)
    };
    let price = |active, interval: Option<(IntervalUnit, u32)>| {
        let interval = interval.map(|(unit, count)| Interval { unit, count });
        ObjectState::Price(Price {
            active,
            unit_amount: Some(money(500, "JPY")),
            interval,
            deleted: false,
            bare: false,
        })
    };
    assert_eq!(object_state("price.created", object(json!({}))), price(true, None));
    let over = json!({"status": "archived", "billing_cycle": {"interval": "month", "frequency": 3}});
    assert_eq!(object_state("price.updated", object(over)), price(false, Some((IntervalUnit::Month, 3))));
    let lines = lines(&facts("price.imported", object(json!({}))));
    assert_eq!(lines, ["price:pri_1 shows price:pri_1 created of product:pro_1"]);
    let free = fault("price.created", object(json!({"unit_price": {"amount": "5.00", "currency_code": "EUR"}})));
    assert_eq!(
        free,
        shape("data.unit_price.amount", "text of integer minor units", "a string with other characters than digits")
    );
}
