//! Tests ownership: ids of the application's customers and of the providers' customers are never confused. Also tests
//! what is shown of an owned object that grants nothing.

use std::collections::BTreeSet;

use crate::told::{
    agreed, application, at, checkout, customer, id, invoice, item, money, offer, once, owner, paid, projection, shows,
    snapshot, source, stored, subject, subscription,
};
use purchase_core::{
    entitlement::NoAccess,
    fact::{
        Link,
        object_state::{
            CheckoutState, Customer, InvoiceState, Item, ObjectState, Payment, PaymentState, Subscription,
            SubscriptionStatus,
        },
    },
    fold::SubjectState,
    id::{CustomerId, CustomerKey, Mode, ObjectKind, ObjectRef, Source, Subject},
    snapshot::customer::NoGrant,
    store::StoredSubject,
};
use serde_json::json;

use SubscriptionStatus::{Active, PastDue, Unpaid};

fn unnamed_customer() -> ObjectState {
    ObjectState::Customer(Customer { email: None, name: None, deleted: false, archived: false, bare: false })
}

/// A subscription of a customer at a source.
fn sold(source: &Source, name: &str, of: &str, links: &[Link]) -> StoredSubject {
    let subject = Subject { source: source.clone(), root: ObjectRef::new(ObjectKind::Subscription, id(name)) };
    let links = [&[customer(of)], links].concat();
    stored(&subject, &[shows(&subject, 10, name, agreed(subscription(Active, item(name, 1))), &links)])
}

fn at_provider(source: &Source, name: &str) -> CustomerKey {
    CustomerKey::Provider { source: source.clone(), id: id(name) }
}

#[test]
fn ids_of_the_application_and_of_each_source_are_apart() {
    let [here, live, other] = [source("acme", Mode::Test), source("acme", Mode::Live), source("bcme", Mode::Test)];
    let subjects = [
        sold(&here, "ours", "1", &[owner("42")]),
        sold(&here, "theirs", "42", &[]),
        sold(&live, "live", "42", &[]),
        sold(&other, "other", "42", &[]),
    ];
    let shown = projection(&subjects);
    let benefits = |key: &CustomerKey| {
        let names = shown.customer(key).into_iter().map(|it| (it.source.expose(), it.customer, it.entitlements.len()));
        names.collect::<Vec<_>>()
    };
    let ours = Some(CustomerId::new("42").expect("an id"));
    assert_eq!(benefits(&application("42")), [(here.expose(), ours, 1)]);
    for source in [&here, &live, &other] {
        assert_eq!(benefits(&at_provider(source, "42")), [(source.expose(), None, 1)]);
    }
    let canonical = shown.expose_canonical();
    let prices =
        |map: &str, key: &str| canonical[map][key].as_object().expect("benefits").keys().cloned().collect::<Vec<_>>();
    assert_eq!(prices("entitlements", "42"), ["ours"]);
    assert_eq!(prices("unlinked", "acme//test/42"), ["theirs"]);
    assert_eq!(prices("unlinked", "acme//live/42"), ["live"]);
    assert_eq!(prices("unlinked", "bcme//test/42"), ["other"]);
    assert_eq!(canonical["unlinked"].as_object().expect("a map").len(), 3);
}

#[test]
fn keys_of_different_kinds_are_never_equal() {
    let keys = [
        application("42"),
        at_provider(&source("acme", Mode::Test), "42"),
        at_provider(&source("acme", Mode::Live), "42"),
        at_provider(&source("bcme", Mode::Test), "42"),
        at_provider(&Source { account: Some(id("acct")), ..source("acme", Mode::Test) }, "42"),
    ];
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len());
}

#[test]
fn an_agreement_is_shown_only_to_its_owner() {
    let here = source("acme", Mode::Test);
    let cus = once(ObjectKind::Customer, "cus", unnamed_customer(), &[owner("u1")]);
    // The provider's customer belongs to u1; one of its subscriptions names another owner.
    let subjects = [cus, sold(&here, "mine", "cus", &[]), sold(&here, "theirs", "cus", &[owner("u2")])];
    let shown = projection(&subjects);
    let canonical = shown.expose_canonical();
    assert_eq!(canonical["entitlements"]["u1"]["mine"]["sources"], json!(["mine"]));
    assert_eq!(canonical["entitlements"]["u2"]["theirs"]["sources"], json!(["theirs"]));
    assert_eq!(canonical["entitlements"]["u1"].as_object().expect("benefits").len(), 1);
    assert_eq!(canonical["unlinked"], json!({}));
    for name in ["u1", "u2"] {
        let it = snapshot(&shown, &application(name));
        assert_eq!((it.entitlements.len(), it.agreements.len()), (1, 1), "{name}");
    }
    let claimed = snapshot(&shown, &at_provider(&here, "cus"));
    assert_eq!(claimed.customer, Some(CustomerId::new("u1").expect("an id")));
    assert_eq!((claimed.entitlements.len(), claimed.agreements.len()), (0, 0));
    // A customer's id at the provider isn't an id in the application.
    assert_eq!(shown.customer(&application("cus")), []);
}

/// What the snapshot of `user` shows of an object that grants nothing.
#[track_caller]
fn without_grant(subjects: &[StoredSubject], expect: &[(&Subject, NoGrant)]) {
    let shown = snapshot(&projection(subjects), &application("user"));
    let expect: Vec<(String, NoGrant)> = expect.iter().map(|(subject, why)| (subject.public_id(), *why)).collect();
    assert_eq!(shown.without_grant.into_iter().collect::<Vec<_>>(), expect);
}

fn mine(kind: ObjectKind, name: &str, object_state: ObjectState, links: &[Link]) -> StoredSubject {
    once(kind, name, object_state, &[&[customer("cus"), owner("user")], links].concat())
}

#[test]
fn an_object_that_grants_nothing_has_a_reason() {
    use NoGrant::{NamesNoOffer, NotPaid, QuantityZero};
    let check = |stored: StoredSubject, expect: Option<NoGrant>| {
        let subject = stored.subject.clone();
        let expect: Vec<_> = expect.map(|why| (&subject, why)).into_iter().collect();
        without_grant(&[stored], &expect);
    };
    let pending = || ObjectState::Payment(Payment::new(PaymentState::Pending, money(9)));
    check(mine(ObjectKind::Payment, "pay", paid(9), &[]), Some(NamesNoOffer));
    check(mine(ObjectKind::Payment, "pay", pending(), &[]), Some(NotPaid));
    check(mine(ObjectKind::Payment, "pay", paid(9), &[offer("pro")]), None);
    // It awaits its payment, and its state is shown among the entitlements.
    check(mine(ObjectKind::Payment, "pay", pending(), &[offer("pro")]), None);
    // What a subscription bills or an invoice asks for is shown by the subscription or invoice.
    check(mine(ObjectKind::Payment, "pay", paid(9), &[Link::Subscription(id("sub"))]), None);
    check(mine(ObjectKind::Payment, "pay", paid(9), &[Link::Invoice(id("in"))]), None);

    let sells = [item("price", 1)];
    let bill = |state, sold: &[Item]| invoice(state, 9, sold);
    check(mine(ObjectKind::Invoice, "in", bill(InvoiceState::Paid, &[]), &[]), Some(NamesNoOffer));
    check(mine(ObjectKind::Invoice, "in", bill(InvoiceState::Open, &sells), &[]), Some(NotPaid));
    check(mine(ObjectKind::Invoice, "in", bill(InvoiceState::Paid, &sells), &[]), None);
    check(mine(ObjectKind::Invoice, "in", bill(InvoiceState::Open, &[]), &[Link::Subscription(id("sub"))]), None);

    check(mine(ObjectKind::Checkout, "cs", checkout(CheckoutState::Completed), &[]), Some(NotPaid));
    check(mine(ObjectKind::Checkout, "cs", checkout(CheckoutState::Completed), &[Link::Payment(id("pay"))]), None);
    check(mine(ObjectKind::Checkout, "cs", checkout(CheckoutState::Paid), &[offer("pro")]), None);

    let of = |items: Vec<Item>| agreed(Subscription { items, ..Subscription::new(Active, "active") });
    check(mine(ObjectKind::Subscription, "sub", of(vec![item("price", 0)]), &[]), Some(QuantityZero));
    check(mine(ObjectKind::Subscription, "sub", of(vec![item("a", 0), item("b", 0)]), &[]), Some(QuantityZero));
    check(mine(ObjectKind::Subscription, "sub", of(vec![item("a", 0), item("b", 1)]), &[]), None);
    check(mine(ObjectKind::Subscription, "sub", of(Vec::new()), &[]), Some(NamesNoOffer));
}

#[test]
fn an_offer_named_by_one_object_of_a_sale_is_enough() {
    let payment = mine(ObjectKind::Payment, "pay", paid(9), &[]);
    let subject = payment.subject.clone();
    let checkout = |links: &[Link]| mine(ObjectKind::Checkout, "cs", checkout(CheckoutState::Paid), links);
    without_grant(&[payment.clone(), checkout(&[offer("pro"), Link::Payment(id("pay"))])], &[]);
    // Another sale of the same customer doesn't affect this one.
    let elsewhere = checkout(&[offer("pro"), Link::Payment(id("pay_2"))]);
    without_grant(&[payment, elsewhere], &[(&subject, NoGrant::NamesNoOffer)]);
}

/// An owner inferred from another object.
fn inferred(name: &str, by: &str) -> Link {
    let by = Some(ObjectRef::new(ObjectKind::Checkout, id(by)));
    Link::InferredOwner { owner: CustomerId::new(name).expect("an id"), by }
}

#[test]
fn two_inferred_owners_make_no_owner() {
    let here = source("acme", Mode::Test);
    let words = [inferred("u1", "cs_1"), inferred("u2", "cs_2")];
    let subject = subject(ObjectKind::Subscription, "sub");
    let shown = projection(&[sold(&here, "sub", "cus", &words)]);
    assert_eq!(shown.customer(&application("u1")), []);
    assert_eq!(shown.customer(&application("u2")), []);
    let unclaimed = snapshot(&shown, &at_provider(&here, "cus"));
    let expect = [(subject.public_id(), NoGrant::OwnersContradict)];
    assert_eq!(unclaimed.without_grant.into_iter().collect::<Vec<_>>(), expect);
}

/// `without_grant` contains the objects that grant nothing at all.
#[test]
fn an_object_that_grants_is_not_listed_without_grant() {
    let here = source("acme", Mode::Test);
    let words = [inferred("u1", "cs_1"), inferred("u2", "cs_2")];
    let cus = once(ObjectKind::Customer, "cus", unnamed_customer(), &[owner("u1")]);
    let shown = projection(&[cus, sold(&here, "sub", "cus", &words)]);
    for name in ["u1", "u2"] {
        for it in shown.customer(&application(name)) {
            let granting: BTreeSet<&String> = it.entitlements.values().flat_map(|it| &it.agreements).collect();
            let without: BTreeSet<&String> = it.without_grant.keys().collect();
            assert!(granting.is_disjoint(&without), "{name}: {granting:?} and {without:?}");
        }
    }
}

#[test]
fn a_subscription_is_paid_until_its_period_ends_unless_it_is_overdue() {
    let check = |status, paid_until, reason: Option<NoAccess>| {
        let sub = mine(ObjectKind::Subscription, "sub", agreed(subscription(status, item("price", 1))), &[]);
        let shown = snapshot(&projection(&[sub]), &application("user"));
        let agreement = shown.agreements.values().next().expect("an agreement");
        assert_eq!((agreement.paid_until, agreement.period_end), (Some(at(paid_until)), Some(at(200))), "{status:?}");
        assert_eq!(shown.entitlements.values().next().expect("a benefit").reason, reason, "{status:?}");
    };
    // Providers begin a period before it is paid.
    check(Active, 200, None);
    check(PastDue, 100, None);
    check(Unpaid, 100, Some(NoAccess::GivenUp));
    check(SubscriptionStatus::Paused, 200, Some(NoAccess::Paused));
}

/// A subscription whose owner comes from another subject belongs to that owner, too.
#[test]
fn an_owner_taken_from_another_subject_counts_as_its_own() {
    let pay = subject(ObjectKind::Payment, "pay");
    let (mut state, _) = SubjectState::fold(&pay, &[shows(&pay, 10, "pay", paid(9), &[offer("pro")])]);
    let user = CustomerId::new("user").expect("an id");
    state.take_owner(Some(purchase_core::fold::Owner::Application(user)));
    let stored = StoredSubject { subject: pay, revision: 1, state };
    let shown = snapshot(&projection(&[stored]), &application("user"));
    assert_eq!(shown.entitlements.keys().collect::<Vec<_>>(), ["pro"]);
}
