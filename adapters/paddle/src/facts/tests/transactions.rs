//! Tests of transactions: an invoice, a payment, its attempts, a checkout.

use purchase_core::fact::object_state::{
    Charge, ChargeState, Checkout, CheckoutMode, CheckoutState, Invoice, InvoiceState, Item, Payment, PaymentState,
};
use purchase_core::id::ProviderId;

use super::*;

/// A transaction of a checkout for ten seats a month and one add-on, ready to be paid.
fn transaction(over: Value) -> Value {
    let object = json!({
        "id": "txn_1", "status": "ready", "origin": "web", "collection_mode": "automatic", "currency_code": "USD",
        "customer_id": "ctm_1", "subscription_id": null, "custom_data": null, "billed_at": null, "payments": [],
        "items": [seat(10), addon(1)],
        "details": {"totals": {"total": "65215", "grand_total": "65000", "balance": "65000", "currency_code": "USD"}},
    });
    with(object, over)
}

fn seat(quantity: u64) -> Value {
    json!({"price": {"id": "pri_seat", "billing_cycle": {"interval": "month", "frequency": 1}}, "quantity": quantity})
}

fn addon(quantity: u64) -> Value {
    json!({"price": {"id": "pri_addon", "billing_cycle": null}, "quantity": quantity})
}

fn attempt(id: &str, status: &str) -> Value {
    let captured_at = if status == "captured" { json!("2024-09-09T16:01:29.378686Z") } else { json!(null) };
    json!({"payment_attempt_id": id, "status": status, "amount": "65000", "captured_at": captured_at})
}

fn item(price: &str, quantity: u64) -> Item {
    Item { price: ProviderId::new(price).expect("id"), quantity: Some(quantity) }
}

fn all(over: Value) -> Vec<ObjectState> {
    object_states("transaction.updated", transaction(over))
}

fn invoice(over: Value) -> Invoice {
    all(over)
        .into_iter()
        .find_map(|it| if let ObjectState::Invoice(it) = it { Some(it) } else { None })
        .expect("an invoice")
}

fn payment(over: Value) -> Payment {
    all(over)
        .into_iter()
        .find_map(|it| if let ObjectState::Payment(it) = it { Some(it) } else { None })
        .expect("a payment")
}

fn checkout(over: Value) -> Option<Checkout> {
    all(over).into_iter().find_map(|it| if let ObjectState::Checkout(it) = it { Some(it) } else { None })
}

fn charges(over: Value) -> Vec<Charge> {
    all(over).into_iter().filter_map(|it| if let ObjectState::Charge(it) = it { Some(it) } else { None }).collect()
}

#[test]
fn a_completed_transaction_is_an_invoice_a_payment_and_a_checkout() {
    let object = transaction(json!({
        "status": "completed", "subscription_id": "sub_1", "billed_at": "2024-09-09T16:01:29.536915778Z",
        "payments": [attempt("pay_2", "captured"), attempt("pay_1", "error")],
        "details": {"totals": {"total": "65215", "grand_total": "65000", "balance": "0"}},
    }));
    let facts = facts("transaction.completed", object);
    assert_eq!(
        lines(&facts),
        [
            "invoice:txn_1 shows invoice:txn_1 changed of customer:ctm_1 payment:txn_1 subscription:sub_1",
            "payment:txn_1 shows payment:txn_1 changed of customer:ctm_1 invoice:txn_1 subscription:sub_1",
            "payment:txn_1 shows charge:pay_2 changed",
            "payment:txn_1 shows charge:pay_1 changed",
            "checkout:txn_1 shows checkout:txn_1 changed of customer:ctm_1 payment:txn_1 subscription:sub_1",
        ]
    );
    let object_states: Vec<ObjectState> =
        facts.into_iter().filter_map(|fact| fact.observation).map(|observation| observation.object_state).collect();
    let charge = |state| {
        let (amount, refunded) = (money(65_000, "USD"), money(0, "USD"));
        ObjectState::Charge(Charge { state, amount, captured: None, refunded, may_count_release: false })
    };
    let expect = [
        ObjectState::Invoice(Invoice {
            state: InvoiceState::Paid,
            total: money(65_215, "USD"),
            amount_paid: money(65_000, "USD"),
            attempts: 2,
            renews: false,
            sold: Vec::new(),
            finalized_at: Some(time("2024-09-09T16:01:29.536915Z")),
            paid_at: Some(time("2024-09-09T16:01:29.378686Z")),
            voided_at: None,
            deleted: false,
        }),
        ObjectState::Payment(Payment {
            items: vec![item("pri_addon", 1)],
            ..Payment::new(PaymentState::Succeeded, money(65_000, "USD"))
        }),
        charge(ChargeState::Succeeded),
        charge(ChargeState::Failed),
        ObjectState::Checkout(Checkout { state: CheckoutState::Paid, mode: CheckoutMode::Subscription }),
    ];
    assert_eq!(object_states, expect);
}

#[test]
fn a_draft_may_know_no_customer_and_no_amounts() {
    let object = transaction(json!({"status": "draft", "customer_id": null, "details": "remove"}));
    let expect = [
        "invoice:txn_1 shows invoice:txn_1 created of payment:txn_1",
        "payment:txn_1 shows payment:txn_1 created of invoice:txn_1",
        "checkout:txn_1 shows checkout:txn_1 created of payment:txn_1",
    ];
    assert_eq!(lines(&facts("transaction.created", object)), expect);
    let bare = json!({"status": "draft", "details": null, "payments": "remove"});
    let it = invoice(bare);
    assert_eq!((it.state, it.total, it.amount_paid), (InvoiceState::Draft, money(0, "USD"), money(0, "USD")));
    let missing = fault("transaction.ready", transaction(json!({"details": null})));
    assert_eq!(missing, shape("data.details.totals.grand_total", "text of integer minor units", "nothing"));
}

#[test]
fn every_status_is_read_three_times() {
    use CheckoutState as C;
    use InvoiceState as I;
    use PaymentState as P;
    let cases = [
        ("draft", I::Draft, P::Pending, C::Open),
        ("ready", I::Open, P::Pending, C::Open),
        ("billed", I::Open, P::Pending, C::Open),
        ("past_due", I::Open, P::Failed, C::Open),
        ("paid", I::Paid, P::Succeeded, C::Paid),
        ("completed", I::Paid, P::Succeeded, C::Paid),
        ("canceled", I::Void, P::Canceled, C::Expired),
        ("hibernating", I::Unknown, P::Unknown, C::Unknown),
    ];
    for (status, of_invoice, of_payment, of_checkout) in cases {
        let over = json!({ "status": status });
        assert_eq!(invoice(over.clone()).state, of_invoice, "{status}");
        assert_eq!(payment(over.clone()).state, of_payment, "{status}");
        assert_eq!(checkout(over).expect("a checkout").state, of_checkout, "{status}");
    }
}

#[test]
fn the_newest_attempt_tells_how_far_the_payment_is() {
    use ChargeState as C;
    use PaymentState as P;
    let cases = [
        ("action_required", P::Pending, C::Pending),
        ("authorized", P::Processing, C::Pending),
        ("authorized_flagged", P::Processing, C::Pending),
        ("canceled", P::Failed, C::Failed),
        ("captured", P::Processing, C::Succeeded),
        ("created", P::Pending, C::Pending),
        ("dropped", P::Failed, C::Failed),
        ("error", P::Failed, C::Failed),
        ("pending_no_action_required", P::Processing, C::Pending),
        ("unknown", P::Pending, C::Pending),
        ("hibernating", P::Pending, C::Pending),
    ];
    for (status, of_payment, of_charge) in cases {
        let over = json!({"payments": [attempt("pay_2", status), attempt("pay_1", "error")]});
        assert_eq!(payment(over.clone()).state, of_payment, "{status}");
        assert_eq!(charges(over).iter().map(|it| it.state).collect::<Vec<_>>(), [of_charge, C::Failed], "{status}");
        let failed = json!({"status": "past_due", "payments": [attempt("pay_1", status)]});
        assert_eq!(payment(failed).state, P::Failed, "{status}");
    }
    let step = |payments: Value| payment(json!({ "payments": payments })).step;
    assert!(step(json!([])) < step(json!([attempt("pay_1", "created")])));
    assert!(step(json!([attempt("pay_1", "created")])) < step(json!([attempt("pay_1", "action_required")])));
}

#[test]
fn an_invoice_is_paid_when_the_money_was_captured() {
    let paid = |over| invoice(with(json!({"payments": [attempt("pay_1", "captured")]}), over)).paid_at;
    assert_eq!(paid(json!({"status": "paid"})), Some(time("2024-09-09T16:01:29.378686Z")));
    assert_eq!(paid(json!({"status": "billed"})), None);
    assert_eq!(paid(json!({"status": "completed", "payments": []})), None);
}

#[test]
fn what_is_paid_is_what_is_no_longer_due() {
    let totals = |status: &str, total: &str, due: &str, balance: &str| {
        let totals = json!({"totals": {"total": total, "grand_total": due, "balance": balance}});
        let it = invoice(json!({"status": status, "details": totals}));
        (it.total.minor(), it.amount_paid.minor())
    };
    assert_eq!(totals("billed", "100", "100", "100"), (100, 0));
    assert_eq!(totals("past_due", "100", "80", "30"), (100, 50));
    assert_eq!(totals("ready", "-100", "0", "0"), (-100, 0));
    // Published examples of paid transactions keep their old balance.
    assert_eq!(totals("paid", "100", "80", "80"), (100, 80));
    assert_eq!(totals("completed", "100", "80", "0"), (100, 80));
}

#[test]
fn only_a_renewal_renews() {
    for origin in ["api", "subscription_charge", "subscription_payment_method_change", "subscription_update", "web"] {
        assert!(!invoice(json!({ "origin": origin })).renews, "{origin}");
    }
    assert!(invoice(json!({"origin": "subscription_recurring"})).renews);
}

#[test]
fn what_is_sold_once_is_an_item_of_the_payment() {
    let sold = |origin: &str, items: Value| payment(json!({"origin": origin, "items": items})).items;
    for origin in ["api", "subscription_charge", "subscription_recurring", "subscription_update", "web"] {
        assert_eq!(sold(origin, json!([seat(1), addon(2)])), [item("pri_addon", 2)], "{origin}");
    }
    for origin in ["subscription_payment_method_change", "barter"] {
        assert_eq!(sold(origin, json!([seat(1), addon(2)])), [], "{origin}");
    }
    let other = json!({"price": {"id": "pri_a", "billing_cycle": null}, "quantity": 1});
    let items = sold("web", json!([addon(1), other, addon(2)]));
    assert_eq!(items, [item("pri_a", 1), item("pri_addon", 3)]);
    let nothing = fault("transaction.updated", transaction(json!({"items": [{"quantity": 1}]})));
    assert_eq!(nothing, shape("data.items[0].price", "id", "nothing"));
}

/// Adjustments name the lines of what they refund.
#[test]
fn the_lines_of_what_is_sold_once_keep_their_ids() {
    let line = |id: &str, price: &str, total: Value| json!({"id": id, "price_id": price, "quantity": 1, "totals": {"subtotal": "1", "tax": "1", "total": total}});
    let details = |lines: Value| {
        let totals = json!({"total": "65215", "grand_total": "65000", "balance": "65000", "currency_code": "USD"});
        json!({"totals": totals, "line_items": lines})
    };
    let lines = |over| {
        let found = payment(over).lines.into_iter();
        found.map(|it| (it.id.expose().to_owned(), it.price.expose().to_owned(), it.total_minor)).collect::<Vec<_>>()
    };
    let of = |id: &str, price: &str, total| (id.to_owned(), price.to_owned(), total);
    let listed = json!([
        line("txnitm_3", "pri_addon", json!("300")),
        line("txnitm_1", "pri_seat", json!("60000")),
        line("txnitm_2", "pri_addon", json!("500")),
    ]);
    let expect = [of("txnitm_2", "pri_addon", 500), of("txnitm_3", "pri_addon", 300)];
    assert_eq!(lines(json!({ "details": details(listed.clone()) })), expect);
    // Without one-time items no line is kept. A draft may have no line yet.
    assert_eq!(lines(json!({"items": [seat(1)], "details": details(listed.clone())})), []);
    assert_eq!(lines(json!({"origin": "subscription_payment_method_change", "details": details(listed)})), []);
    assert_eq!(lines(json!({ "details": details(json!(null)) })), []);
    assert_eq!(lines(json!({})), []);
    let odd = json!({ "details": details(json!([line("txnitm_1", "pri_addon", json!(500))])) });
    let expect = shape("data.details.line_items[0].totals.total", "text of integer minor units", "integer");
    assert_eq!(fault("transaction.updated", transaction(odd)), expect);
}

#[test]
fn a_quantity_sold_is_a_whole_number() {
    let sold = |quantity: Value| transaction(json!({"items": [with(addon(1), json!({ "quantity": quantity }))]}));
    let expect = |found| shape("data.items[0].quantity", "whole quantity of at most 2^53 - 1", found);
    assert_eq!(fault("transaction.paid", sold(json!(0.5))), expect("fraction"));
    assert_eq!(fault("transaction.paid", sold(json!(-1))), expect("negative integer"));
    assert_eq!(fault("transaction.paid", sold(json!(1_u64 << 53))), expect("integer"));
    assert_eq!(payment(json!({"items": [addon(0)]})).items, [item("pri_addon", 0)]);
}

#[test]
fn a_checkout_is_what_a_buyer_pays_at_once() {
    let mode = |over| checkout(over).map(|it| it.mode);
    assert_eq!(mode(json!({"origin": "web"})), Some(CheckoutMode::Subscription));
    assert_eq!(mode(json!({"origin": "api"})), Some(CheckoutMode::Subscription));
    assert_eq!(mode(json!({"items": [addon(1)]})), Some(CheckoutMode::Payment));
    assert_eq!(mode(json!({"collection_mode": "manual"})), None);
    for origin in ["subscription_charge", "subscription_recurring", "subscription_update"] {
        assert_eq!(mode(json!({ "origin": origin })), None, "{origin}");
    }
}

#[test]
fn the_offer_is_that_of_what_is_sold_once_or_of_the_subscription() {
    let named = json!({"purchase_customer_id": "cust-1", "purchase_offer_id": "pro"});
    let told = |over: Value| {
        let object = transaction(with(json!({ "custom_data": named }), over));
        lines(&facts("transaction.updated", object))
    };
    let both = told(json!({}));
    let once = told(json!({"items": [addon(1)]}));
    let later = told(json!({"items": [addon(1)], "origin": "subscription_charge", "subscription_id": "sub_1"}));
    // An invoice only asks for money. Its payment or its subscription says what was sold.
    let invoice = "invoice:txn_1 shows invoice:txn_1 changed of customer:ctm_1 owner:cust-1 payment:txn_1";
    assert_eq!([&both[0], &once[0]], [invoice; 2]);
    assert_eq!(later[0], format!("{invoice} subscription:sub_1"));
    let payment = "payment:txn_1 shows payment:txn_1 changed of customer:ctm_1 owner:cust-1";
    assert_eq!(both[1], format!("{payment} invoice:txn_1"));
    assert_eq!(once[1], format!("{payment} offer:pro invoice:txn_1"));
    assert_eq!(later[1], format!("{payment} invoice:txn_1 subscription:sub_1"));
    let checkout = "checkout:txn_1 shows checkout:txn_1 changed of customer:ctm_1 owner:cust-1 offer:pro payment:txn_1";
    assert_eq!(both[2], checkout);
    // A buyer can write custom data, so they never name the owner of the customer.
    assert_eq!((both.len(), once.len(), later.len()), (3, 3, 2));
}

#[test]
fn a_buyer_s_word_is_not_taken_unless_the_application_says_so() {
    let named = json!({"purchase_customer_id": "cust-1", "purchase_offer_id": "pro"});
    let body = event("transaction.updated", transaction(json!({ "custom_data": named })));
    let lines = lines(&read_with(|_| {}, &body).expect("facts"));
    assert!(!lines.iter().any(|line| line.contains("cust-1") || line.contains("pro ")), "{lines:?}");
    let odd = event("transaction.updated", transaction(json!({"custom_data": {"purchase_customer_id": 7}})));
    assert_eq!(read_with(|_| {}, &odd).expect("facts").len(), 3);
}

#[test]
fn a_fault_names_its_path() {
    let fault = |over| fault("transaction.updated", transaction(over));
    let amount = |found| shape("data.payments[0].amount", "text of integer minor units", found);
    assert_eq!(fault(json!({"id": 7})), shape("data.id", "id", "integer"));
    assert_eq!(fault(json!({"status": null})), shape("data.status", "string", "null"));
    assert_eq!(
        fault(json!({"currency_code": "remove"})),
        shape("data.currency_code", "three-letter currency code of ISO 4217", "nothing")
    );
    assert_eq!(fault(json!({"items": "remove"})), shape("data.items", "array", "nothing"));
    assert_eq!(fault(json!({"payments": {}})), shape("data.payments", "array", "object"));
    let odd = json!({"payment_attempt_id": "pay_1", "status": "error", "amount": 5});
    assert_eq!(fault(json!({"payments": [odd]})), amount("integer"));
    assert_eq!(
        fault(json!({"billed_at": "soon"})),
        shape("data.billed_at", "RFC 3339 time", "a string of another form")
    );
}
