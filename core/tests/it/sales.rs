//! Tests that a sale is granted once, however many objects report it, and what happens to it when money is returned,
//! whichever object reports the payment.

use crate::told::{
    application, at, checkout, customer, dispute, entitlement, id, invoice, item, money, offer, once, owner, paid,
    projection, read, refund, shows, snapshot, stored, subject,
};
use purchase_core::{
    entitlement::{AccessPolicy, Dunning, NoAccess},
    fact::{
        Fact, Link,
        object_state::{
            CheckoutState, DisputeState, InvoiceState, Line, ObjectState, Payment, PaymentState, Refund, RefundState,
            RefundedLine,
        },
    },
    id::ObjectKind,
    snapshot::customer::Entitlement,
    store::StoredSubject,
};
use serde_json::{Value, json};

/// Links of an object of `user`, who is the provider's customer `cus`.
fn of_user(links: &[Link]) -> Vec<Link> {
    [&[customer("cus"), owner("user")], links].concat()
}

/// A paid checkout of the offer `pro`.
fn checkout_of(links: &[Link]) -> StoredSubject {
    let links = of_user(&[&[offer("pro")], links].concat());
    once(ObjectKind::Checkout, "cs", checkout(CheckoutState::Paid), &links)
}

/// A payment of this amount, and its later observations from second 20 on.
fn payment(name: &str, minor: i64, links: &[Link], after: &[(&str, ObjectState)]) -> StoredSubject {
    let subject = subject(ObjectKind::Payment, name);
    let after = after.iter().zip(20..).map(|((object, object_state), second)| {
        shows(&subject, second, &format!("{name}_{object}"), object_state.clone(), &[])
    });
    let facts: Vec<Fact> = [shows(&subject, 10, name, paid(minor), &of_user(links))].into_iter().chain(after).collect();
    stored(&subject, &facts)
}

/// A paid invoice of this amount that sells one of `price`.
fn invoice_of(minor: i64, links: &[Link]) -> StoredSubject {
    once(ObjectKind::Invoice, "in", invoice(InvoiceState::Paid, minor, &[item("price", 1)]), &of_user(links))
}

fn back(minor: i64) -> (&'static str, ObjectState) {
    ("re", refund(RefundState::Succeeded, minor))
}

/// The grants of `user` in the canonical projection: benefit, quantity, sources.
fn granted(subjects: &[StoredSubject]) -> Vec<(String, Value, Value)> {
    let shown = projection(subjects).expose_canonical();
    assert_eq!(shown["unlinked"], json!({}));
    let of_user = shown["entitlements"]["user"].as_object().cloned().unwrap_or_default();
    of_user.into_iter().map(|(name, it)| (name, it["quantity"].clone(), it["sources"].clone())).collect()
}

/// Checks every order of the subjects.
#[track_caller]
fn check(subjects: &[StoredSubject], benefit: &str, source: &str) {
    let mut subjects = subjects.to_vec();
    for _ in 0..subjects.len() {
        subjects.rotate_left(1);
        assert_eq!(granted(&subjects), [(benefit.to_owned(), json!(1), json!([source]))]);
        subjects.reverse();
        assert_eq!(granted(&subjects), [(benefit.to_owned(), json!(1), json!([source]))]);
        subjects.reverse();
    }
}

#[test]
fn one_sale_is_granted_once_by_the_first_kind_that_says_what_it_sells() {
    let (by_payment, by_invoice) = (Link::Payment(id("pay")), Link::Invoice(id("in")));
    let from_checkout = [Link::Checkout(id("cs")), offer("pro")];
    check(&[checkout_of(&[])], "pro", "cs");
    let with_payment = [checkout_of(std::slice::from_ref(&by_payment)), payment("pay", 1000, &from_checkout, &[])];
    check(&with_payment, "pro", "pay");
    // The invoice's lines say what it sells. The offer of its only line is the checkout's offer.
    let bill = [Link::Checkout(id("cs")), by_payment.clone(), offer("pro")];
    let of_invoice = [from_checkout.as_slice(), std::slice::from_ref(&by_invoice)].concat();
    let whole = [
        checkout_of(&[by_payment.clone(), by_invoice.clone()]),
        payment("pay", 1000, &of_invoice, &[]),
        invoice_of(1000, &bill),
    ];
    check(&whole, "pro", "in");
    // The checkout names only the payment, and the payment leads to the invoice.
    let chain = [
        checkout_of(std::slice::from_ref(&by_payment)),
        payment("pay", 1000, &of_invoice, &[]),
        invoice_of(1000, &bill),
    ];
    check(&chain, "pro", "in");
    check(&whole[1..], "pro", "in");
    check(&[whole[0].clone(), whole[2].clone()], "pro", "in");
}

#[test]
fn two_sales_of_one_offer_are_two() {
    let one = payment("pay_1", 1000, &[offer("pro")], &[]);
    let two = payment("pay_2", 1000, &[offer("pro")], &[]);
    assert_eq!(granted(&[one, two]), [("pro".to_owned(), json!(2), json!(["pay_1", "pay_2"]))]);
}

fn access(it: &Entitlement) -> (bool, Option<NoAccess>) {
    (it.access, it.reason)
}

/// The access of `user` at second 1000.
#[track_caller]
fn access_by(subjects: &[StoredSubject]) -> (bool, Option<NoAccess>) {
    access(&entitlement(&projection(subjects)))
}

const GRANTED: (bool, Option<NoAccess>) = (true, None);
const REFUNDED: (bool, Option<NoAccess>) = (false, Some(NoAccess::Refunded));

#[test]
fn a_refund_of_an_invoice_s_payment_ends_what_the_invoice_granted() {
    let with = |after: &[(&str, ObjectState)]| {
        let payment = payment("pay", 1000, &[Link::Invoice(id("in"))], after);
        access_by(&[invoice_of(1000, &[Link::Payment(id("pay"))]), payment])
    };
    assert_eq!(with(&[]), GRANTED);
    assert_eq!(with(&[back(999)]), GRANTED);
    assert_eq!(with(&[back(1000)]), REFUNDED);
    assert_eq!(with(&[back(600), ("dp", dispute(DisputeState::Lost, 400))]), REFUNDED);
    assert_eq!(with(&[back(600), ("dp", dispute(DisputeState::Won, 400))]), GRANTED);
    assert_eq!(with(&[("re", refund(RefundState::Pending, 1000))]), GRANTED);
}

#[test]
fn a_refund_of_a_checkout_s_payment_ends_what_the_checkout_granted() {
    // The payment doesn't name the checkout, so it doesn't say what it sells.
    let with = |after: &[(&str, ObjectState)]| {
        access_by(&[checkout_of(&[Link::Payment(id("pay"))]), payment("pay", 1000, &[], after)])
    };
    assert_eq!(with(&[]), GRANTED);
    assert_eq!(with(&[back(1000)]), REFUNDED);
}

#[test]
fn two_payments_of_one_invoice_are_one_sale() {
    let by_invoice = [Link::Invoice(id("in")), offer("pro")];
    let with = |one: &[(&str, ObjectState)], two: &[(&str, ObjectState)]| {
        let payments = [payment("pay_1", 400, &by_invoice, one), payment("pay_2", 600, &by_invoice, two)];
        let invoice = invoice_of(1000, &[offer("pro"), Link::Payment(id("pay_1")), Link::Payment(id("pay_2"))]);
        let bare = once(ObjectKind::Invoice, "in", invoice_state(&[]), &of_user(&[]));
        let [one, two] = payments;
        (access_by(&[one.clone(), two.clone(), invoice]), access_by(&[one, two, bare]))
    };
    assert_eq!(with(&[], &[]), (GRANTED, GRANTED));
    // A part was refunded.
    assert_eq!(with(&[back(400)], &[]), (GRANTED, GRANTED));
    assert_eq!(with(&[], &[back(600)]), (GRANTED, GRANTED));
    assert_eq!(with(&[back(400)], &[back(600)]), (REFUNDED, REFUNDED));
    let subjects = [payment("pay_1", 400, &by_invoice, &[]), payment("pay_2", 600, &by_invoice, &[])];
    let quantity = entitlement(&projection(&subjects)).quantity;
    assert_eq!(quantity, Some(1), "both payments belong to one sale");
}

fn invoice_state(sold: &[purchase_core::fact::object_state::Item]) -> ObjectState {
    invoice(InvoiceState::Paid, 1000, sold)
}

#[test]
fn money_paid_elsewhere_does_not_count_as_refunded() {
    // The payment brought 600 of 1000; the rest was paid in cash.
    let with = |after: &[(&str, ObjectState)]| {
        access_by(&[invoice_of(1000, &[]), payment("pay", 600, &[Link::Invoice(id("in"))], after)])
    };
    assert_eq!(with(&[back(600)]), GRANTED);
    // Paid entirely outside the provider.
    assert_eq!(access_by(&[invoice_of(1000, &[])]), GRANTED);
}

#[test]
fn the_invoice_s_state_decides_whether_the_sale_is_paid() {
    let payment = payment("pay", 1000, &[Link::Invoice(id("in")), offer("pro")], &[]);
    let with = |state| {
        let invoice = once(ObjectKind::Invoice, "in", invoice(state, 1000, &[]), &of_user(&[]));
        access_by(&[payment.clone(), invoice])
    };
    assert_eq!(with(InvoiceState::Paid), GRANTED);
    assert_eq!(with(InvoiceState::Open), (false, Some(NoAccess::Pending)));
    assert_eq!(with(InvoiceState::Void), (false, Some(NoAccess::Canceled)));
    assert_eq!(with(InvoiceState::Uncollectible), (false, Some(NoAccess::Expired)));
}

/// The offer of a subscription's payment belongs to the subscription, which grants it itself. One-time items on the
/// same payment are sold.
#[test]
fn an_invoice_of_a_subscription_is_not_a_sale() {
    let billed = [Link::Invoice(id("in")), offer("pro")];
    let bill = [Link::Subscription(id("sub")), Link::Payment(id("pay"))];
    let monthly = once(ObjectKind::Invoice, "in", invoice_state(&[]), &of_user(&bill));
    assert_eq!(granted(&[payment("pay", 1000, &billed, &[]), monthly]), []);
    let with_setup = once(ObjectKind::Invoice, "in", invoice_state(&[item("price_setup", 1)]), &of_user(&bill));
    let subjects = [payment("pay", 1000, &billed, &[]), with_setup];
    assert_eq!(granted(&subjects), [("price_setup".to_owned(), json!(1), json!(["in"]))]);
}

#[test]
fn an_invoice_grants_each_of_its_prices_and_nothing_of_a_quantity_of_zero() {
    let sold = [item("price_a", 2), item("price_b", 0), item("price_c", 1)];
    let of = |price: &str, quantity: i64| (price.to_owned(), json!(quantity), json!(["in"]));
    let invoice = |links: &[Link]| once(ObjectKind::Invoice, "in", invoice_state(&sold), &of_user(links));
    assert_eq!(granted(&[invoice(&[])]), [of("price_a", 2), of("price_c", 1)]);
    // An offer applies to all lines that the catalogue doesn't know.
    assert_eq!(granted(&[invoice(&[offer("pro")])]), [of("pro", 1)]);
}

#[test]
fn lines_that_were_refunded_end_what_they_sold_and_nothing_else() {
    let line = |name: &str, price: &str, total_minor| Line { id: id(name), price: id(price), total_minor };
    let sells = ObjectState::Payment(Payment {
        items: vec![item("price_a", 1), item("price_b", 1)],
        lines: vec![line("l_a", "price_a", 600), line("l_b", "price_b", 400)],
        ..Payment::new(PaymentState::Succeeded, money(1000))
    });
    let with = |lines: &[(&str, i64)]| {
        let pay = subject(ObjectKind::Payment, "pay");
        let amount = lines.iter().map(|(_, minor)| minor).sum();
        let lines =
            lines.iter().map(|(line, minor)| RefundedLine { line: id(line), amount_minor: *minor, whole: true });
        let refund = Refund { lines: lines.collect(), ..Refund::new(RefundState::Succeeded, money(amount)) };
        let facts = [
            shows(&pay, 10, "pay", sells.clone(), &of_user(&[])),
            shows(&pay, 20, "re", ObjectState::Refund(refund), &[]),
        ];
        let shown = projection(&[stored(&pay, &facts)]).expose_canonical();
        ["price_a", "price_b"].map(|price| shown["entitlements"]["user"][price]["access"].clone())
    };
    assert_eq!(with(&[("l_a", 600)]), [json!(false), json!(true)]);
    assert_eq!(with(&[("l_b", 400)]), [json!(true), json!(false)]);
    assert_eq!(with(&[("l_a", 600), ("l_b", 400)]), [json!(false), json!(false)]);
}

#[test]
fn a_disputed_part_ends_access_only_where_the_policy_says_so() {
    let strict = AccessPolicy { disputed_part_ends_access: true, ..AccessPolicy::default() };
    let disputed = [("dp", dispute(DisputeState::Open, 300))];
    let sales = [
        vec![payment("pay", 1000, &[offer("pro")], &disputed)],
        vec![invoice_of(1000, &[]), payment("pay", 1000, &[Link::Invoice(id("in"))], &disputed)],
    ];
    for sale in sales {
        assert_eq!(access_by(&sale), GRANTED);
        let shown = entitlement(&read(&sale, &strict, &Dunning::default(), 1000));
        assert_eq!(access(&shown), (false, Some(NoAccess::Disputed)));
    }
}

#[test]
fn a_sale_s_agreement_is_that_of_the_object_that_grants() {
    let by_payment = Link::Payment(id("pay"));
    let sale = [checkout_of(&[by_payment]), payment("pay", 1000, &[Link::Checkout(id("cs")), offer("pro")], &[])];
    let shown = snapshot(&projection(&sale), &application("user"));
    let agreements: Vec<_> = shown.agreements.values().map(|it| (it.kind.as_str(), it.since)).collect();
    assert_eq!(agreements, [("payment", Some(at(10)))]);
    assert!(shown.without_grant.is_empty(), "{:?}", shown.without_grant);
}
