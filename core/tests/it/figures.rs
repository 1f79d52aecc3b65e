//! Tests the figures of a payment for any order of observations: partial captures as before and since Stripe's
//! `2025-03-31.basil`, voids, releases that look like refunds, and disputes.

use crate::told::{charge, dispute, id, in_currency, money, paid, refund, shows, subject};
use purchase_core::{
    fact::{
        Fact,
        object_state::{
            Charge, ChargeState, DisputeState, Line, ObjectState, Payment, PaymentState, Refund, RefundState,
            RefundedLine, Release,
        },
    },
    fold::{SubjectState, money::Figures},
    id::{ObjectKind, ProviderId},
};

/// The state of a payment after these objects, one per second. Every rotation, forwards and backwards, must give the
/// same state.
#[track_caller]
fn state(objects: &[(&str, ObjectState)]) -> SubjectState {
    let payment = subject(ObjectKind::Payment, "pay");
    let mut facts: Vec<Fact> = objects
        .iter()
        .zip(10..)
        .map(|((name, object_state), second)| shows(&payment, second, name, object_state.clone(), &[]))
        .collect();
    let (expect, _) = SubjectState::fold(&payment, &facts);
    for _ in 0..facts.len() {
        facts.rotate_left(1);
        assert_eq!(SubjectState::fold(&payment, &facts).0.figures(), expect.figures());
        facts.reverse();
        assert_eq!(SubjectState::fold(&payment, &facts).0.figures(), expect.figures());
        facts.reverse();
    }
    expect
}

/// Checks the figures authorized, captured, received, refunded and disputed.
#[track_caller]
fn check(objects: &[(&str, ObjectState)], expect: (Option<i64>, Option<i64>, Option<i64>, i64, i64)) {
    let Figures { authorized, captured, received, refunded, disputed } = state(objects).figures();
    assert_eq!((authorized, captured, received, refunded, disputed), expect, "{objects:?}");
}

#[track_caller]
fn released(objects: &[(&str, ObjectState)], expect: &[&str]) {
    let state = state(objects);
    let found: Vec<String> = state.released_refunds().iter().map(|it| it.id.expose().to_owned()).collect();
    assert_eq!(found, expect, "{objects:?}");
}

/// A payment of 2000 of which this amount was received.
fn came(minor: i64) -> ObjectState {
    ObjectState::Payment(Payment { received: Some(money(minor)), ..Payment::new(PaymentState::Succeeded, money(2000)) })
}

/// A release that the charge's figures show.
fn counted(counted: bool) -> ObjectState {
    ObjectState::Release(Release { counted, by_version: false })
}

/// A release that the version of the API makes likely.
fn likely() -> ObjectState {
    ObjectState::Release(Release { counted: true, by_version: true })
}

fn back(minor: i64) -> ObjectState {
    refund(RefundState::Succeeded, minor)
}

#[test]
fn a_payment_known_only_by_its_refund_has_no_amounts() {
    check(&[("re", back(500))], (None, None, None, 500, 0));
    assert!(!state(&[("re", back(500))]).figures().all_went_back());
}

#[test]
fn a_payment_goes_from_authorized_to_received() {
    let intent = |state| ObjectState::Payment(Payment::new(state, money(2000)));
    let of_charge = |state, captured: i64| {
        let (amount, refunded, captured) = (money(2000), money(0), Some(money(captured)));
        ObjectState::Charge(Charge { state, amount, captured, refunded, may_count_release: false })
    };
    let pending = of_charge(ChargeState::Pending, 0);
    check(&[("pay", intent(PaymentState::Pending))], (None, None, None, 0, 0));
    check(&[("pay", intent(PaymentState::Authorized))], (Some(2000), None, None, 0, 0));
    check(&[("pay", intent(PaymentState::Authorized)), ("ch", pending)], (Some(2000), None, None, 0, 0));
    check(&[("pay", paid(2000))], (Some(2000), Some(2000), Some(2000), 0, 0));
    check(&[("ch", charge(2000, 0, false)), ("pay", paid(2000))], (Some(2000), Some(2000), Some(2000), 0, 0));
    // Before the payment itself is known, its charge shows what was received.
    check(&[("ch", charge(1200, 0, false))], (Some(2000), Some(1200), Some(1200), 0, 0));
    // A failed attempt authorized nothing.
    let failed = of_charge(ChargeState::Failed, 0);
    check(&[("ch", failed), ("pay", intent(PaymentState::Failed))], (None, None, None, 0, 0));
}

/// Before `2025-03-31.basil`: the release is counted as refunded and listed as a refund.
#[test]
fn a_release_that_is_listed_as_a_refund_is_not_counted_as_one() {
    let captured = [("pay", came(1200)), ("ch", charge(1200, 0, false)), ("ch_", counted(true)), ("re", back(800))];
    check(&captured, (Some(2000), Some(1200), Some(1200), 0, 0));
    released(&captured, &["re"]);
    // Then 800 of the 1200 received are refunded: the second refund of the same amount is a real one.
    let refunded = [
        ("pay", came(1200)),
        ("ch_", counted(true)),
        ("re", back(800)),
        ("ch", charge(1200, 800, false)),
        ("re_2", back(800)),
    ];
    check(&refunded, (Some(2000), Some(1200), Some(1200), 800, 0));
    released(&refunded, &["re"]);
    // The charge's total excludes the release only if the adapter could tell. Otherwise the release is subtracted here.
    let open = [("pay", came(1200)), ("ch_", counted(true)), ("ch", charge(1200, 1000, true))];
    check(&open, (Some(2000), Some(1200), Some(1200), 200, 0));
}

/// Since `2025-03-31.basil`: only the captured amount can be refunded, and a refund of the released amount is a real
/// refund.
#[test]
fn a_release_that_does_not_count_takes_nothing_from_refunds() {
    let refunded = [
        ("pay", came(1200)),
        ("ch_", counted(false)),
        ("ch", charge(1200, 800, true)),
        ("re", back(800)),
        ("version:pay", likely()),
    ];
    check(&refunded, (Some(2000), Some(1200), Some(1200), 800, 0));
    released(&refunded, &[]);
}

#[test]
fn figures_decide_before_versions_do() {
    // No more than 1200 was received, so 800 of these 1400 were released.
    let more_than_came = [("pay", came(1200)), ("re", back(800)), ("re_2", back(600))];
    check(&more_than_came, (Some(2000), Some(1200), Some(1200), 600, 0));
    released(&more_than_came, &["re"]);
    // The whole received amount can be refunded.
    let all = [("pay", came(1200)), ("re", back(800)), ("re_2", back(400))];
    check(&all, (Some(2000), Some(1200), Some(1200), 1200, 0));
    released(&all, &[]);
    // A failed refund returned nothing.
    let failed = [("pay", came(1200)), ("re", back(800)), ("re_2", refund(RefundState::Failed, 600))];
    check(&failed, (Some(2000), Some(1200), Some(1200), 800, 0));
    // The API version decides only if nothing else does.
    let open = [("pay", came(1200)), ("ch", charge(1200, 800, true)), ("re", back(800))];
    check(&open, (Some(2000), Some(1200), Some(1200), 800, 0));
    released(&open, &[]);
    let counts = [open.as_slice(), &[("version:pay", likely())]].concat();
    check(&counts, (Some(2000), Some(1200), Some(1200), 0, 0));
    released(&counts, &["re"]);
    // If everything was captured, nothing was released, whatever the version.
    let whole = [("pay", paid(2000)), ("ch", charge(2000, 800, false)), ("re", back(800)), ("version:pay", likely())];
    check(&whole, (Some(2000), Some(2000), Some(2000), 800, 0));
    released(&whole, &[]);
    // A refund of an amount other than the released one isn't a release, whatever its version.
    let other = [("pay", came(1200)), ("re", back(700)), ("version:pay", likely())];
    check(&other, (Some(2000), Some(1200), Some(1200), 700, 0));
    released(&other, &[]);
}

#[test]
fn a_payment_that_was_never_captured_has_no_refunds() {
    let canceled = ObjectState::Payment(Payment::new(PaymentState::Canceled, money(2000)));
    let (amount, captured, refunded) = (money(2000), Some(money(0)), money(0));
    let void = Charge { state: ChargeState::Pending, amount, captured, refunded, may_count_release: false };
    let voided = [("pay", canceled), ("ch", ObjectState::Charge(void.clone())), ("re", back(2000))];
    check(&voided, (Some(2000), Some(0), Some(0), 0, 0));
    released(&voided, &["re"]);
    assert!(!state(&voided).figures().all_went_back());
    // If only the charge is known, the result is the same.
    released(&[("ch", ObjectState::Charge(void)), ("re", back(2000))], &["re"]);
}

#[test]
fn a_dispute_takes_while_it_is_open_and_after_it_is_lost() {
    use DisputeState::{Closed, Inquiry, Lost, Open, Unknown, Won};
    for (state, disputed) in [(Open, 500), (Lost, 500), (Won, 0), (Closed, 0), (Inquiry, 0), (Unknown, 0)] {
        check(&[("pay", paid(2000)), ("d", dispute(state, 500))], (Some(2000), Some(2000), Some(2000), 0, disputed));
    }
    let two = [("pay", paid(2000)), ("d", dispute(Open, 500)), ("d_2", dispute(Lost, 700))];
    check(&two, (Some(2000), Some(2000), Some(2000), 0, 1200));
    // Amounts in two currencies can't be compared, so the dispute counts as one of the whole received amount.
    let foreign = purchase_core::fact::object_state::Dispute { state: Open, amount: in_currency(7, "USD") };
    let foreign = [("pay", came(1200)), ("d", ObjectState::Dispute(foreign))];
    check(&foreign, (Some(2000), Some(1200), Some(1200), 0, 1200));
}

#[test]
fn all_went_back_once_refunds_and_disputes_reach_the_received_amount() {
    let all = |refunded: i64, disputed: i64| {
        let of = |minor: i64, object_state: ObjectState| (minor > 0).then_some(object_state);
        let members = [
            ("re", of(refunded, refund(RefundState::Succeeded, refunded.max(1)))),
            ("d", of(disputed, dispute(DisputeState::Open, disputed.max(1)))),
        ];
        let members = members.into_iter().filter_map(|(name, object_state)| Some((name, object_state?)));
        let objects: Vec<(&str, ObjectState)> = [("pay", paid(2000))].into_iter().chain(members).collect();
        state(&objects).figures().all_went_back()
    };
    assert!(!all(0, 0));
    assert!(!all(1999, 0));
    assert!(all(2000, 0));
    assert!(!all(1000, 999));
    assert!(all(1000, 1000));
    // Exchange rates change, so a dispute of nine tenths counts as one of the whole amount. A refund of nine tenths
    // doesn't.
    assert!(!all(0, 1799));
    assert!(all(0, 1800));
    assert!(!all(1800, 0));
    // A payment of zero can't be refunded in full.
    assert!(!state(&[("pay", paid(0))]).figures().all_went_back());
}

/// A payment of price a for 600 in one line and of price b in two lines of 100.
fn of_lines() -> ObjectState {
    let line = |name: &str, price: &str, total_minor| Line { id: id(name), price: id(price), total_minor };
    let lines = vec![line("a", "price_a", 600), line("b1", "price_b", 100), line("b2", "price_b", 100)];
    ObjectState::Payment(Payment { lines, ..Payment::new(PaymentState::Succeeded, money(800)) })
}

fn of(state: RefundState, lines: &[(&str, i64, bool)]) -> ObjectState {
    let line = |(line, amount_minor, whole): &(&str, i64, bool)| RefundedLine {
        line: id(line),
        amount_minor: *amount_minor,
        whole: *whole,
    };
    let sum: i64 = lines.iter().map(|(_, amount, _)| amount).sum();
    ObjectState::Refund(Refund { lines: lines.iter().map(line).collect(), ..Refund::new(state, money(sum.max(1))) })
}

#[test]
fn a_price_is_refunded_once_all_its_lines_are() {
    use RefundState::{Failed, Pending, Succeeded};
    let check = |refunds: &[ObjectState], expect: &[&str]| {
        let names = ["re_1", "re_2", "re_3"];
        let objects = [("pay", of_lines())].into_iter().chain(names.into_iter().zip(refunds.iter().cloned()));
        let found = state(&objects.collect::<Vec<_>>()).refunded_prices();
        assert_eq!(found.iter().map(ProviderId::expose).collect::<Vec<_>>(), expect, "{refunds:?}");
    };
    check(&[], &[]);
    check(&[back(800)], &[]);
    check(&[of(Succeeded, &[("a", 600, true)])], &["price_a"]);
    check(&[of(Succeeded, &[("a", 0, true)])], &["price_a"]);
    check(&[of(Succeeded, &[("a", 599, false)])], &[]);
    check(&[of(Succeeded, &[("a", 300, false)]), of(Succeeded, &[("a", 300, false)])], &["price_a"]);
    check(&[of(Pending, &[("a", 600, true)])], &[]);
    check(&[of(Failed, &[("a", 600, true)])], &[]);
    // A line with an unknown price removes nothing.
    check(&[of(Succeeded, &[("c", 600, true)])], &[]);
    // A price with two lines is removed with the second line.
    check(&[of(Succeeded, &[("b1", 100, true)])], &[]);
    check(&[of(Succeeded, &[("b1", 100, true)]), of(Succeeded, &[("b2", 100, true)])], &["price_b"]);
    check(&[of(Succeeded, &[("a", 600, true), ("b1", 100, true), ("b2", 100, true)])], &["price_a", "price_b"]);
}
