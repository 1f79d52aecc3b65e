//! What happens by itself, at its own time.

use purchase_core::{time::Timestamp, transport::Method::Post};
use purchase_emulator_paddle::{
    Account,
    account::{Approval, DunningEnd},
};
use serde_json::{Value, json};

use crate::common::{DAY, START, Shop};

fn at(seconds: i64) -> Value {
    json!(Timestamp::from_seconds(seconds).expect("in range").to_string())
}

/// A shop with a subscription whose card fails from the second period on.
fn behind(account: Account) -> (Shop, String) {
    let mut shop = Shop::new(9, account);
    let cycle = json!({ "interval": "day", "frequency": 30 });
    let price = shop.price("30 days", 1000, cycle, Value::Null);
    let (_, id) = shop.buy(&price);
    let customer = shop.get(&format!("/subscriptions/{id}"))["customer_id"].clone();
    shop.act(json!({ "act": "card", "customer": customer, "works": false }));
    shop.wait(30 * DAY);
    assert_eq!(shop.get(&format!("/subscriptions/{id}"))["status"], "past_due");
    (shop, id)
}

#[test]
fn dunning_ends_after_thirty_days() {
    for (dunning_ends, status) in [(DunningEnd::Cancel, "canceled"), (DunningEnd::Pause, "paused")] {
        let (mut shop, id) = behind(Account { dunning_ends, ..Account::default() });
        let path = format!("/subscriptions/{id}");
        shop.wait(30 * DAY - 1);
        assert_eq!(shop.get(&path)["status"], "past_due");
        shop.wait(1);
        let shown = shop.get(&path);
        assert_eq!((&shown["status"], &shown["current_billing_period"]), (&json!(status), &Value::Null));
        assert_eq!(shown[format!("{status}_at")], at(START + 60 * DAY));
        // The account retries seven times.
        let owed = shop.get(&format!("/transactions?subscription_id={id}&origin=subscription_recurring"));
        assert_eq!((&owed[0]["status"], owed[0]["payments"].as_array().map(Vec::len)), (&json!("past_due"), Some(8)));
        // Nothing else is billed.
        shop.wait(400 * DAY);
        assert_eq!(shop.get(&format!("/transactions?subscription_id={id}")).as_array().map(Vec::len), Some(2));
    }
}

#[test]
fn periods_follow_each_other_however_long_one_waits() {
    let mut shop = Shop::new(9, Account::default());
    let cycle = json!({ "interval": "day", "frequency": 30 });
    let price = shop.price("30 days", 1000, cycle, Value::Null);
    let (_, id) = shop.buy(&price);
    shop.patch(&format!("/prices/{price}"), json!({ "unit_price": { "amount": "2000", "currency_code": "EUR" } }));
    shop.wait(95 * DAY);
    let period = shop.get(&format!("/subscriptions/{id}"))["current_billing_period"].clone();
    assert_eq!(period, json!({ "starts_at": at(START + 90 * DAY), "ends_at": at(START + 120 * DAY) }));
    let transactions = shop.get(&format!("/transactions?subscription_id={id}&order_by=id[ASC]"));
    let billed: Vec<&Value> = transactions.as_array().into_iter().flatten().map(|it| &it["billed_at"]).collect();
    let expect: Vec<Value> = (0..4).map(|count| at(START + count * 30 * DAY)).collect();
    assert_eq!(billed, expect.iter().collect::<Vec<_>>());
    // A subscription keeps the price that it was bought at.
    assert_eq!(transactions[3]["details"]["totals"]["total"], "1000");
}

#[test]
fn no_retry_is_made_after_the_end() {
    let (mut shop, id) = behind(Account { retries_seconds: vec![31 * DAY], ..Account::default() });
    shop.wait(30 * DAY);
    assert_eq!(shop.get(&format!("/subscriptions/{id}"))["status"], "canceled");
    let owed = shop.get(&format!("/transactions?subscription_id={id}&origin=subscription_recurring"));
    assert_eq!(owed[0]["payments"].as_array().map(Vec::len), Some(1));
}

#[test]
fn a_subscription_and_its_renewals_have_the_checkouts_custom_data() {
    let mut shop = Shop::new(9, Account::default());
    let monthly = shop.monthly.clone();
    let items = json!([{ "price_id": monthly, "quantity": 2 }]);
    let id = shop.id("/transactions", json!({ "items": items, "custom_data": { "seat": "window" } }));
    shop.pay(&id, "success");
    shop.wait(31 * DAY);
    for list in ["subscriptions", "transactions"] {
        let found = shop.get(&format!("/{list}"));
        let all: Vec<&Value> = found.as_array().into_iter().flatten().map(|it| &it["custom_data"]["seat"]).collect();
        assert!(all.iter().all(|it| **it == "window"), "{list}: {all:?}");
    }
}

#[test]
fn refunds_are_approved_by_the_accounts_rule() {
    let check = |refunds: Approval, expect: [&str; 3]| {
        let mut shop = Shop::new(9, Account { refunds, ..Account::default() });
        let once = shop.once.clone();
        let (transaction, _) = shop.buy(&once);
        let refund = json!({ "action": "refund", "transaction_id": transaction, "reason": "asked", "type": "full" });
        let first = shop.post("/adjustments", refund)["status"].clone();
        shop.wait(600);
        let second = shop.get("/adjustments")[0]["status"].clone();
        shop.wait(400 * DAY);
        let third = shop.get("/adjustments")[0]["status"].clone();
        assert_eq!([first, second, third], expect.map(|it| json!(it)), "{refunds:?}");
    };
    check(Approval::After { seconds: 601 }, ["pending_approval", "pending_approval", "approved"]);
    check(Account::default().refunds, ["pending_approval", "approved", "approved"]);
    check(Approval::AtOnce, ["approved"; 3]);
    check(Approval::ByAct, ["pending_approval"; 3]);
}

#[test]
fn invoices_become_past_due_when_their_terms_are_over() {
    let mut shop = Shop::new(9, Account::default());
    let once = shop.once.clone();
    let customer = shop.id("/customers", json!({ "email": "oona@example.com", "name": "Oona" }));
    let address = shop.id(&format!("/customers/{customer}/addresses"), json!({ "country_code": "FI" }));
    let terms = json!({ "payment_terms": { "interval": "day", "frequency": 14 } });
    let body = json!({
        "items": [{ "price_id": once, "quantity": 1 }], "customer_id": customer, "address_id": address,
        "collection_mode": "manual", "billing_details": terms,
    });
    let id = shop.id("/transactions", body);
    let path = format!("/transactions/{id}");
    let billed = shop.patch(&path, json!({ "status": "billed" }));
    assert_eq!((&billed["status"], &billed["checkout"]), (&json!("billed"), &Value::Null));
    assert!(billed["invoice_number"].is_string());
    let credit = json!({ "action": "credit", "transaction_id": id, "reason": "late", "type": "partial",
        "items": [{ "item_id": billed["details"]["line_items"][0]["id"], "type": "partial", "amount": "900" }] });
    assert_eq!(shop.post("/adjustments", credit.clone())["status"], "approved");
    let mut rest = credit;
    rest["items"][0]["amount"] = json!("4001");
    let refused = shop.refused(Post, "/adjustments", rest);
    assert_eq!(refused, (400, "adjustment_transaction_item_invalid".to_owned()), "4000 remain");
    let totals = shop.get(&path)["details"]["totals"].clone();
    let amounts = ["total", "credit", "grand_total", "balance"].map(|name| totals[name].clone());
    assert_eq!(amounts, ["4900", "900", "4000", "4000"].map(|it| json!(it)));
    shop.wait(14 * DAY);
    assert_eq!(shop.get(&path)["status"], "past_due");
    shop.act(json!({ "act": "pay_invoice", "transaction": id }));
    let paid = shop.get(&path);
    assert_eq!((&paid["status"], &paid["payments"][0]["amount"]), (&json!("completed"), &json!("4000")));
}
