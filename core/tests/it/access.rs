//! Tests when a customer has access, as a reader sees it: from the beginning of the sale, during the grace period while
//! the provider retries payments, and over several sources.

use crate::told::{
    DAY, agreed, application, at, entitlement, item, money, offer, once, owner, paid, projection, read, refund, shows,
    snapshot, stored, subject, subscription,
};
use purchase_core::{
    entitlement::{AccessPolicy, Dunning, NoAccess},
    fact::object_state::{Item, ObjectState, Payment, PaymentState, Subscription, SubscriptionStatus},
    id::{ObjectKind, ProviderName},
    snapshot::customer::Entitlement,
    store::StoredSubject,
    time::Timestamp,
};

use SubscriptionStatus::{Active, Canceled, PastDue, Paused, Trialing, Unpaid};

/// A subscription of `user`, observed from second 10 on.
fn sub(name: &str, it: Subscription) -> StoredSubject {
    once(ObjectKind::Subscription, name, agreed(it), &[owner("user")])
}

/// The entitlement under the default policy, with the providers' declared dunning times, at a second.
fn seen(subjects: &[StoredSubject], dunning: &Dunning, second: i64) -> Entitlement {
    entitlement(&read(subjects, &AccessPolicy::default(), dunning, second))
}

fn declared(provider: &str, seconds: i64) -> Dunning {
    let mut dunning = Dunning::default();
    dunning.declare(ProviderName::new(provider).expect("a name"), seconds);
    dunning
}

#[test]
fn grace_lasts_as_long_as_the_provider_collects() {
    let overdue = [sub("sub", subscription(PastDue, item("price", 1)))];
    let check = |dunning: &Dunning, days: i64| {
        let end = 10 + days * DAY;
        let before = seen(&overdue, dunning, end - 1);
        assert_eq!((before.access, before.until, before.reason), (true, Some(at(end)), None));
        let after = seen(&overdue, dunning, end);
        assert_eq!((after.access, after.until, after.reason), (false, None, Some(NoAccess::GraceOver)));
    };
    check(&declared("acme", 14 * DAY), 14);
    check(&declared("acme", 90 * DAY), 90);
    // If a provider's adapter isn't configured, the longest time applies: two months.
    check(&Dunning::default(), 61);
    check(&declared("bcme", 14 * DAY), 61);
}

/// Grace counts from when the subscription became past due, not from the period's end or the latest observation.
#[test]
fn grace_counts_from_when_the_subscription_fell_behind() {
    let root = subject(ObjectKind::Subscription, "sub");
    let status =
        |second, status| shows(&root, second, "sub", agreed(subscription(status, item("price", 1))), &[owner("user")]);
    let behind = [stored(&root, &[status(10, Active), status(50, PastDue), status(70, PastDue)])];
    assert_eq!(seen(&behind, &declared("acme", DAY), 100).until, Some(at(50 + DAY)));
    // The application may set a shorter grace period.
    let policy = AccessPolicy { grace_seconds: Some(100), ..AccessPolicy::default() };
    let strict = entitlement(&read(&behind, &policy, &declared("acme", DAY), 100));
    assert_eq!((strict.access, strict.until), (true, Some(at(150))));
}

#[test]
fn nothing_is_given_before_it_began() {
    let begun = |started_at: Option<Timestamp>| {
        [sub("sub", Subscription { started_at, ..subscription(Active, item("price", 1)) })]
    };
    let first = |subjects: &[StoredSubject], second| {
        let it = seen(subjects, &Dunning::default(), second);
        (it.access, it.reason)
    };
    let not_begun = (false, Some(NoAccess::NotBegun));
    // Clocks may differ by a minute. Without a known beginning, a subscription begins when it was first observed.
    assert_eq!([-51, -50].map(|second| first(&begun(None), second)), [not_begun, (true, None)]);
    assert_eq!([-56, -55].map(|second| first(&begun(Some(at(5))), second)), [not_begun, (true, None)]);
    let bought = [once(ObjectKind::Payment, "pay", paid(9), &[owner("user"), offer("pro")])];
    assert_eq!([-51, -50].map(|second| first(&bought, second)), [not_begun, (true, None)]);
    assert_eq!(seen(&bought, &Dunning::default(), 10).until, None);
}

/// A later observation without the beginning doesn't change it.
#[test]
fn a_beginning_is_written_once() {
    let root = subject(ObjectKind::Subscription, "sub");
    let told = |second, started_at| {
        let it = Subscription { started_at, ..subscription(Active, item("price", 1)) };
        shows(&root, second, "sub", agreed(it), &[owner("user")])
    };
    let subjects = [stored(&root, &[told(1000, Some(at(500))), told(2000, None)])];
    assert!(seen(&subjects, &Dunning::default(), 700).access);
    let untold = [stored(&root, &[told(1000, None), told(2000, None)])];
    assert!(!seen(&untold, &Dunning::default(), 700).access);
}

#[test]
fn each_state_gives_what_the_policy_says() {
    let check = |status, expect: Result<Option<Timestamp>, NoAccess>| {
        let it = seen(&[sub("sub", subscription(status, item("price", 1)))], &declared("acme", DAY), 150);
        let expect = match expect {
            Ok(until) => (true, until, None),
            Err(reason) => (false, None, Some(reason)),
        };
        assert_eq!((it.access, it.until, it.reason), expect, "{status:?}");
    };
    // The period ends at second 200; three days of slack follow.
    check(Active, Ok(Some(at(200 + 3 * DAY))));
    check(Trialing, Ok(Some(at(200 + 3 * DAY))));
    check(PastDue, Ok(Some(at(10 + DAY))));
    check(Unpaid, Err(NoAccess::GivenUp));
    check(Paused, Err(NoAccess::Paused));
    check(Canceled, Err(NoAccess::Canceled));
    check(SubscriptionStatus::Expired, Err(NoAccess::Expired));
    check(SubscriptionStatus::Pending, Err(NoAccess::Pending));
}

#[test]
fn several_sources_of_one_benefit_give_what_the_best_gives() {
    let of = |name: &str, status| sub(name, subscription(status, item("price", 2)));
    let check = |statuses: [SubscriptionStatus; 2], expect: (bool, Option<i64>, Option<NoAccess>)| {
        let [one, two] = statuses;
        let shown = [
            seen(&[of("a", one), of("b", two)], &declared("acme", DAY), 150),
            seen(&[of("a", two), of("b", one)], &declared("acme", DAY), 150),
        ];
        for it in shown {
            assert_eq!((it.access, it.quantity, it.reason), expect, "{statuses:?}");
            assert_eq!(it.agreements.len(), 2);
        }
    };
    check([Active, Active], (true, Some(4), None));
    check([Active, Canceled], (true, Some(2), None));
    check([Active, Unpaid], (true, Some(2), None));
    // Without access, the last reason in the order of `NoAccess` is shown.
    check([Canceled, Paused], (false, None, Some(NoAccess::Paused)));
    check([Canceled, Unpaid], (false, None, Some(NoAccess::GivenUp)));
}

#[test]
fn a_quantity_of_zero_grants_nothing() {
    let none = |subjects: &[StoredSubject]| snapshot(&projection(subjects), &application("user")).entitlements.len();
    assert_eq!(none(&[sub("sub", subscription(Active, item("price", 0)))]), 0);
    let sold = |items: Vec<Item>| {
        let object_state = ObjectState::Payment(Payment { items, ..Payment::new(PaymentState::Succeeded, money(9)) });
        once(ObjectKind::Payment, "pay", object_state, &[owner("user")])
    };
    assert_eq!(none(&[sold(vec![item("price", 0)])]), 0);
    assert_eq!(none(&[sold(vec![item("price", 0), item("price_b", 1)])]), 1);
    // Metered usage has no quantity; that isn't zero.
    let metered = Item { quantity: None, ..item("price", 1) };
    assert_eq!(none(&[sub("sub", subscription(Active, metered))]), 1);
}

#[test]
fn a_purchase_ends_when_its_money_went_back() {
    let pay = subject(ObjectKind::Payment, "pay");
    let with = |minor| {
        let state = purchase_core::fact::object_state::RefundState::Succeeded;
        let facts = [
            shows(&pay, 10, "pay", paid(900), &[owner("user"), offer("pro")]),
            shows(&pay, 20, "re", refund(state, minor), &[]),
        ];
        let it = seen(&[stored(&pay, &facts)], &Dunning::default(), 1000);
        (it.access, it.reason)
    };
    assert_eq!(with(899), (true, None));
    assert_eq!(with(900), (false, Some(NoAccess::Refunded)));
}
