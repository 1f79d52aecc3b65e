//! Decides how tests build the facts of a subject, from one source and by second, and what is shown of the subjects
//! that result.
#![allow(dead_code, reason = "each test uses a part")]

use purchase_core::{
    catalog::Catalog,
    entitlement::{AccessPolicy, Dunning},
    fact::{
        Fact, Link, Observation, Phase, Version,
        object_state::{
            Charge, ChargeState, Checkout, CheckoutMode, CheckoutState, Dispute, DisputeState, Invoice, InvoiceState,
            Item, ObjectState, Payment, PaymentState, Period, Refund, RefundState, Subscription, SubscriptionStatus,
        },
    },
    fold::SubjectState,
    id::{CustomerId, CustomerKey, Mode, ObjectKind, ObjectRef, OfferId, ProviderId, ProviderName, Source, Subject},
    money::{Currency, Money},
    snapshot::{
        Projection, Reading,
        customer::{CustomerSnapshot, Entitlement},
    },
    store::StoredSubject,
    time::Timestamp,
};

pub(crate) const DAY: i64 = 24 * 3600;

pub(crate) fn id(text: &str) -> ProviderId {
    ProviderId::new(text).expect("an id")
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("in range")
}

pub(crate) fn money(minor: i64) -> Money {
    in_currency(minor, "EUR")
}

pub(crate) fn in_currency(minor: i64, code: &str) -> Money {
    Money::new(minor, Currency::new(code).expect("a currency")).expect("within bounds")
}

pub(crate) fn source(provider: &str, mode: Mode) -> Source {
    Source { provider: ProviderName::new(provider).expect("a name"), account: None, mode }
}

pub(crate) fn subject(kind: ObjectKind, root: &str) -> Subject {
    Subject { source: source("acme", Mode::Test), root: ObjectRef::new(kind, id(root)) }
}

pub(crate) fn owner(name: &str) -> Link {
    Link::Owner(CustomerId::new(name).expect("an id"))
}

pub(crate) fn offer(name: &str) -> Link {
    Link::Offer(OfferId::new(name).expect("an id"))
}

pub(crate) fn customer(name: &str) -> Link {
    Link::Customer(id(name))
}

pub(crate) fn application(name: &str) -> CustomerKey {
    CustomerKey::Application(CustomerId::new(name).expect("an id"))
}

/// A charge of 2000, of which `captured` was captured, and whose total of refunds may include the released amount.
pub(crate) fn charge(captured: i64, refunded: i64, may_count_release: bool) -> ObjectState {
    let captured = Some(money(captured));
    let (amount, refunded) = (money(2000), money(refunded));
    ObjectState::Charge(Charge { state: ChargeState::Succeeded, amount, captured, refunded, may_count_release })
}

pub(crate) fn checkout(state: CheckoutState) -> ObjectState {
    ObjectState::Checkout(Checkout { state, mode: CheckoutMode::Payment })
}

pub(crate) fn dispute(state: DisputeState, minor: i64) -> ObjectState {
    ObjectState::Dispute(Dispute { state, amount: money(minor) })
}

pub(crate) fn item(price: &str, quantity: u64) -> Item {
    Item { price: id(price), quantity: Some(quantity) }
}

pub(crate) fn invoice(state: InvoiceState, total: i64, sold: &[Item]) -> ObjectState {
    let amount_paid = money(if state == InvoiceState::Paid { total } else { 0 });
    ObjectState::Invoice(Invoice { amount_paid, sold: sold.to_vec(), ..Invoice::new(state, money(total)) })
}

pub(crate) fn paid(minor: i64) -> ObjectState {
    ObjectState::Payment(Payment::new(PaymentState::Succeeded, money(minor)))
}

pub(crate) fn refund(state: RefundState, minor: i64) -> ObjectState {
    ObjectState::Refund(Refund::new(state, money(minor)))
}

/// A subscription to an item, with a period from second 100 to second 200.
pub(crate) fn subscription(status: SubscriptionStatus, item: Item) -> Subscription {
    let period = Some(Period { start: at(100), end: at(200) });
    Subscription { items: vec![item], period, ..Subscription::new(status, format!("{status:?}").to_lowercase()) }
}

pub(crate) fn agreed(it: Subscription) -> ObjectState {
    ObjectState::Subscription(Box::new(it))
}

/// An observation of a subject's object at a second, with the links of the subject.
pub(crate) fn shows(subject: &Subject, second: i64, object: &str, object_state: ObjectState, links: &[Link]) -> Fact {
    Fact {
        subject: subject.clone(),
        event: id(&format!("evt_{second}_{object}")),
        version: Version::at(at(second)),
        observation: Some(Observation {
            object: ObjectRef::new(object_state.kind(), id(object)),
            phase: Phase::Changed,
            object_state,
            prior: None,
        }),
        links: links.to_vec(),
    }
}

pub(crate) fn stored(subject: &Subject, facts: &[Fact]) -> StoredSubject {
    let (state, _) = SubjectState::fold(subject, facts);
    StoredSubject { subject: subject.clone(), revision: 1, state }
}

/// A subject whose root is observed once, at second 10.
pub(crate) fn once(kind: ObjectKind, root: &str, object_state: ObjectState, links: &[Link]) -> StoredSubject {
    let subject = subject(kind, root);
    stored(&subject, &[shows(&subject, 10, root, object_state, links)])
}

/// The projection at second 1000 under the default policy.
pub(crate) fn projection(subjects: &[StoredSubject]) -> Projection {
    read(subjects, &AccessPolicy::default(), &Dunning::default(), 1000)
}

pub(crate) fn read(subjects: &[StoredSubject], policy: &AccessPolicy, dunning: &Dunning, second: i64) -> Projection {
    Projection::of(
        subjects.iter().map(StoredSubject::parts),
        Reading { catalog: &Catalog::default(), policy, dunning, as_of: at(second) },
    )
}

/// The only snapshot of a customer.
#[track_caller]
pub(crate) fn snapshot(projection: &Projection, key: &CustomerKey) -> CustomerSnapshot {
    let mut snapshots = projection.customer(key);
    assert_eq!(snapshots.len(), 1, "snapshots of {key:?}");
    snapshots.remove(0)
}

/// The only entitlement of the application's customer `user`.
#[track_caller]
pub(crate) fn entitlement(projection: &Projection) -> Entitlement {
    let entitlements = snapshot(projection, &application("user")).entitlements;
    assert_eq!(entitlements.len(), 1, "{entitlements:?}");
    entitlements.into_values().next().expect("one")
}
