//! Tests which owner the engine finds through related objects, and what it shows of a customer whose sales are spread
//! over several objects.

use crate::acme::{self, at, body, delivery, engine, id, linked, money, projection, source, told};
use purchase_core::{
    engine::Engine,
    entitlement::NoAccess,
    fact::{
        Link,
        object_state::{
            Checkout, CheckoutMode, CheckoutState, Item, ObjectState, Payment, PaymentState, Refund, RefundState,
            Subscription, SubscriptionStatus,
        },
    },
    id::{CustomerId, ObjectKind, ObjectRef, OfferId},
    snapshot::customer::CustomerSnapshot,
};
use serde_json::json;

fn user(name: &str) -> CustomerId {
    CustomerId::new(name).expect("an id")
}

fn owner(name: &str) -> Link {
    Link::Owner(user(name))
}

fn paid() -> ObjectState {
    ObjectState::Payment(Payment::new(PaymentState::Succeeded, money(900)))
}

fn checkout() -> ObjectState {
    ObjectState::Checkout(Checkout { state: CheckoutState::Paid, mode: CheckoutMode::Payment })
}

fn subscription(status: SubscriptionStatus) -> ObjectState {
    let items = vec![Item { price: id("price"), quantity: Some(1) }];
    ObjectState::Subscription(Box::new(Subscription { items, ..Subscription::new(status, "word") }))
}

/// An engine that has processed these facts in order, each as a separate event.
async fn after(facts: &[acme::Told]) -> Engine {
    let engine = engine();
    for (fact, second) in facts.iter().zip(1..) {
        let event = body(&format!("e{second}"), second, vec![fact.clone()]);
        engine.handle(delivery(&event)).await.expect("accepted");
    }
    engine
}

async fn snapshot(engine: &Engine, name: &str, second: i64) -> CustomerSnapshot {
    let mut snapshots = engine.customer(&user(name), at(second)).await.expect("memory");
    assert_eq!(snapshots.len(), 1, "snapshots of {name}");
    snapshots.remove(0)
}

/// Checks what a payment belongs to, in both orders of the facts.
async fn check(relatives: &[acme::Told], links: &[Link], expect: Option<&str>) {
    let payment = told(ObjectKind::Payment, "pay", paid(), links.to_vec());
    let mut facts = [relatives, std::slice::from_ref(&payment)].concat();
    for _ in 0..2 {
        let engine = after(&facts).await;
        let shown = projection(&engine).await;
        let parked = shown["parked"].get("pay").is_some();
        assert_eq!(parked, expect.is_none(), "{links:?}");
        if let Some(name) = expect {
            let offered = [Link::Offer(OfferId::new("pro").expect("an id"))];
            assert!(links.contains(&offered[0]), "the payment sells something");
            assert_eq!(shown["entitlements"][name]["pro"]["sources"], json!(["pay"]), "{shown}");
        }
        facts.reverse();
    }
}

#[tokio::test]
async fn a_subject_takes_the_owner_that_its_relatives_agree_on() {
    let of = |kind, name: &str, who: &str| linked(kind, name, vec![owner(who)]);
    let invoices = |one, two| [of(ObjectKind::Invoice, "i1", one), of(ObjectKind::Invoice, "i2", two)];
    let sells = Link::Offer(OfferId::new("pro").expect("an id"));
    let both = [Link::Invoice(id("i1")), Link::Invoice(id("i2")), sells.clone()];
    check(&invoices("u1", "u1"), &both, Some("u1")).await;
    // Related objects of one kind with different customers give no owner.
    check(&invoices("u1", "u2"), &both, None).await;
    check(&invoices("u2", "u1"), &both, None).await;
    // An invoice takes precedence over a checkout.
    let over = [of(ObjectKind::Checkout, "cs", "u1"), of(ObjectKind::Invoice, "i1", "u2")];
    check(&over, &[Link::Checkout(id("cs")), Link::Invoice(id("i1")), sells], Some("u2")).await;
}

/// The payment names neither customer nor owner; only the checkout leads to the owner.
#[tokio::test]
async fn a_refund_of_a_payment_that_names_nobody_shows_with_the_buyer() {
    let sold = vec![owner("u1"), Link::Offer(OfferId::new("pro").expect("an id")), Link::Payment(id("pay"))];
    let refund = ObjectState::Refund(Refund::new(RefundState::Succeeded, money(900)));
    let mut refunded = linked(ObjectKind::Payment, "pay", Vec::new());
    refunded.object = Some((ObjectRef::new(ObjectKind::Refund, id("re")), refund, None));
    let facts = [
        told(ObjectKind::Checkout, "cs", checkout(), sold),
        told(ObjectKind::Payment, "pay", paid(), Vec::new()),
        refunded,
    ];
    let access = async |facts: &[acme::Told]| {
        let shown = snapshot(&after(facts).await, "u1", 1000).await;
        let it = shown.entitlements.get("pro").expect("the offer").clone();
        (it.access, it.reason)
    };
    assert_eq!(access(&facts[..2]).await, (true, None));
    assert_eq!(access(&facts).await, (false, Some(NoAccess::Refunded)));
}

/// Access for the wrong person is worse than missing access with a reason.
#[tokio::test]
async fn a_contradicted_owner_is_not_taken_from_relatives() {
    let word = |name: &str, by| {
        let by = Some(ObjectRef::new(by, id("said")));
        Link::InferredOwner { owner: user(name), by }
    };
    let offer = Link::Offer(OfferId::new("pro").expect("an id"));
    let links = vec![
        word("u1", ObjectKind::Checkout),
        word("u2", ObjectKind::Charge),
        Link::Invoice(id("in")),
        Link::Checkout(id("cs")),
        offer,
    ];
    let facts =
        [linked(ObjectKind::Checkout, "cs", vec![owner("u1")]), told(ObjectKind::Payment, "pay", paid(), links)];
    let shown = projection(&after(&facts).await).await;
    assert_eq!(shown["entitlements"], json!({}));
}

#[tokio::test]
async fn grace_lasts_as_long_as_the_adapter_declares() {
    let facts = [told(ObjectKind::Subscription, "sub", subscription(SubscriptionStatus::PastDue), vec![owner("u1")])];
    let engine = after(&facts).await;
    // The adapter declares thirty days; the subscription became past due at second 1.
    let end = 1 + 30 * 24 * 3600;
    for (second, access, reason) in [(end - 1, true, None), (end, false, Some(NoAccess::GraceOver))] {
        let shown = snapshot(&engine, "u1", second).await;
        let it = shown.entitlements.values().next().expect("a benefit");
        assert_eq!((it.access, it.reason), (access, reason), "at {second}");
    }
}

/// The application's customer 42 isn't the provider's customer 42.
#[tokio::test]
async fn an_id_of_the_provider_finds_nobody_of_the_application() {
    let active = || subscription(SubscriptionStatus::Active);
    let facts = [
        told(ObjectKind::Subscription, "ours", active(), vec![Link::Customer(id("1")), owner("42")]),
        told(ObjectKind::Subscription, "theirs", active(), vec![Link::Customer(id("42"))]),
    ];
    let engine = after(&facts).await;
    let shown = snapshot(&engine, "42", 1000).await;
    assert_eq!((shown.customer, shown.agreements.len()), (Some(user("42")), 1));
    let theirs = engine.provider_customer(&source(), &id("42"), at(1000)).await.expect("memory").expect("a customer");
    assert_eq!((theirs.customer, theirs.agreements.len()), (None, 1));
    assert!(shown.agreements.keys().ne(theirs.agreements.keys()));
    assert_eq!(engine.customer(&user("1"), at(1000)).await.expect("memory"), []);
    let mut elsewhere = source();
    elsewhere.mode = purchase_core::id::Mode::Live;
    assert_eq!(engine.customer_at(&elsewhere, &user("42"), at(1000)).await.expect("memory"), None);
    assert_eq!(engine.provider_customer(&elsewhere, &id("42"), at(1000)).await.expect("memory"), None);
}
