//! Tests which dispute or credit a reversal ends if it doesn't name one, what a payment sells once, and two sources
//! that use the same ids.

use std::collections::BTreeMap;

use purchase_core::{
    catalog::Catalog,
    entitlement::{AccessPolicy, Dunning},
    fact::{
        Fact, Link, Observation, Phase, Version,
        object_state::{
            Charge, ChargeState, Credit, CreditState, Dispute, DisputeState, Item, ObjectState, Payment, PaymentState,
            Refund, RefundState, Reversal, Undone,
        },
    },
    fold::SubjectState,
    fold::money::Disputed,
    id::{CustomerId, CustomerKey, Mode, ObjectKind, ObjectRef, OfferId, ProviderId, ProviderName, Source, Subject},
    lifecycle::Lifecycle,
    money::{Currency, Money},
    snapshot::{Projection, Reading, derive, rows::Rows},
    store::StoredSubject,
    time::Timestamp,
};
use serde_json::json;

fn id(text: &str) -> ProviderId {
    ProviderId::new(text).expect("an id")
}

fn source(provider: &str, account: Option<&str>, mode: Mode) -> Source {
    Source { provider: ProviderName::new(provider).expect("a name"), account: account.map(id), mode }
}

fn subject(kind: ObjectKind, root: &str) -> Subject {
    Subject { source: source("acme", None, Mode::Test), root: ObjectRef::new(kind, id(root)) }
}

fn money(minor: i64) -> Money {
    Money::new(minor, Currency::new("EUR").expect("a currency")).expect("within bounds")
}

/// An observation of one of the subject's objects at a second.
fn shows(subject: &Subject, second: i64, object: &str, object_state: ObjectState) -> Fact {
    Fact {
        subject: subject.clone(),
        event: id(&format!("evt_{second}_{object}")),
        version: Version::at(Timestamp::from_seconds(second).expect("in range")),
        observation: Some(Observation {
            object: ObjectRef::new(object_state.kind(), id(object)),
            phase: Phase::Changed,
            object_state,
            prior: None,
        }),
        links: Vec::new(),
    }
}

fn dispute(state: DisputeState) -> ObjectState {
    ObjectState::Dispute(Dispute { state, amount: money(900) })
}

fn credit(state: CreditState) -> ObjectState {
    ObjectState::Credit(Credit { state, amount: money(300) })
}

fn reversal(undoes: Undone) -> ObjectState {
    ObjectState::Reversal(Reversal { undoes })
}

fn paid(items: &[(&str, u64)]) -> ObjectState {
    let items = items.iter().map(|(price, quantity)| Item { price: id(price), quantity: Some(*quantity) });
    let state = PaymentState::Succeeded;
    ObjectState::Payment(Payment { items: items.collect(), ..Payment::new(state, money(900)) })
}

fn rows(subject: &Subject, facts: &[Fact], catalog: &Catalog) -> Rows {
    derive::rows(subject, &SubjectState::fold(subject, facts).0, catalog)
}

#[test]
fn a_reversal_ends_the_oldest_dispute_that_is_still_open() {
    use DisputeState::{Closed, Inquiry, Open, Won};
    let payment = subject(ObjectKind::Payment, "pay");
    let check = |objects: &[(i64, &str, ObjectState)], expect: &[(&str, DisputeState)], whole: Disputed| {
        let facts =
            objects.iter().map(|(second, object, object_state)| shows(&payment, *second, object, object_state.clone()));
        let facts: Vec<Fact> = facts.chain([shows(&payment, 1, "pay", paid(&[]))]).collect();
        let rows = rows(&payment, &facts, &Catalog::default());
        let found: Vec<(&str, DisputeState)> = rows.disputes.iter().map(|row| (row.id.as_str(), row.state)).collect();
        assert_eq!((found, rows.payments[0].dispute), (expect.to_vec(), whole));
    };
    let undo = || reversal(Undone::Dispute);
    check(&[(2, "d1", dispute(Open))], &[("d1", Open)], Disputed::Open);
    check(&[(2, "d1", dispute(Open)), (3, "r1", undo())], &[("d1", Won)], Disputed::Won);
    // A reversal alone says nothing about a dispute that isn't known yet.
    check(&[(3, "r1", undo())], &[], Disputed::None);
    let again = [(2, "d1", dispute(Open)), (3, "r1", undo()), (4, "d0", dispute(Open))];
    check(&again, &[("d1", Won), ("d0", Open)], Disputed::Open);
    // A later observation of the same state doesn't change an object's age.
    let seen_again = [(2, "d1", dispute(Open)), (4, "d0", dispute(Open)), (3, "r1", undo()), (5, "d1", dispute(Open))];
    check(&seen_again, &[("d1", Won), ("d0", Open)], Disputed::Open);
    // The dispute that the reversal ended isn't known yet. The reversal ends no later dispute.
    check(&[(3, "r1", undo()), (4, "d2", dispute(Open))], &[("d2", Open)], Disputed::Open);
    check(
        &[(2, "d1", dispute(Open)), (3, "r1", undo()), (4, "d2", dispute(Open))],
        &[("d1", Won), ("d2", Open)],
        Disputed::Open,
    );
    // A reversal that is reported both by the dispute itself and by a reversal object counts once.
    let told = [(3, "d1", dispute(Won)), (3, "r1", undo()), (4, "d2", dispute(Open))];
    check(&told, &[("d1", Won), ("d2", Open)], Disputed::Open);
    check(&[(2, "d1", dispute(Open)), (3, "r1", reversal(Undone::Nothing))], &[("d1", Open)], Disputed::Open);
    let inquiry = [(2, "d1", dispute(Inquiry)), (3, "r1", reversal(Undone::Inquiry))];
    check(&inquiry, &[("d1", Closed)], Disputed::None);
    check(&[(2, "d1", dispute(Inquiry)), (3, "r1", undo())], &[("d1", Inquiry)], Disputed::None);
}

#[test]
fn a_credit_is_its_invoices_and_can_be_taken_back() {
    let invoice = subject(ObjectKind::Invoice, "inv");
    let facts = [
        shows(&invoice, 1, "c2", credit(CreditState::Issued)),
        shows(&invoice, 2, "c1", credit(CreditState::Issued)),
        shows(&invoice, 3, "c3", credit(CreditState::Rejected)),
        shows(&invoice, 4, "r1", reversal(Undone::Credit)),
    ];
    let rows = rows(&invoice, &facts, &Catalog::default());
    let found: Vec<_> = rows.credits.iter().map(|row| (row.id.as_str(), row.state, row.amount)).collect();
    assert_eq!(
        found,
        [("c2", CreditState::Reversed, 300), ("c1", CreditState::Issued, 300), ("c3", CreditState::Rejected, 300)]
    );
    assert!(rows.credits.iter().all(|row| row.invoice == "inv"));
}

#[test]
fn attempts_are_a_set_and_take_no_part_in_what_went_back() {
    let payment = subject(ObjectKind::Payment, "pay");
    let attempt = |state| {
        let (amount, refunded) = (money(900), money(0));
        ObjectState::Charge(Charge { state, amount, captured: None, refunded, may_count_release: false })
    };
    let refund = |state| ObjectState::Refund(Refund::new(state, money(400)));
    let facts = [
        shows(&payment, 1, "try_1", attempt(ChargeState::Failed)),
        shows(&payment, 2, "try_2", attempt(ChargeState::Failed)),
        shows(&payment, 3, "try_1", attempt(ChargeState::Failed)),
        shows(&payment, 4, "try_3", attempt(ChargeState::Succeeded)),
        shows(&payment, 4, "pay", paid(&[])),
        shows(&payment, 5, "ref_1", refund(RefundState::Succeeded)),
        shows(&payment, 6, "ref_2", refund(RefundState::Pending)),
        shows(&payment, 7, "ref_3", refund(RefundState::Pending)),
    ];
    let rows = rows(&payment, &facts, &Catalog::default());
    assert_eq!((rows.payments[0].attempts, rows.payments[0].refunded), (3, 400));
}

#[test]
fn what_a_payment_lists_is_granted_item_by_item() {
    let payment = subject(ObjectKind::Payment, "pay");
    let mut facts = vec![shows(&payment, 1, "pay", paid(&[("price_credits", 1), ("price_seat", 3)]))];
    // Also next to a subscription: the subscription doesn't bill what is listed here.
    facts[0].links = vec![Link::Subscription(id("sub")), Link::Offer(OfferId::new("ignored").expect("an offer"))];
    let prices = BTreeMap::from([("price_seat".to_owned(), OfferId::new("seat").expect("an offer"))]);
    let catalog = Catalog { prices };
    let grants = |facts: &[Fact]| {
        let rows = rows(&payment, facts, &catalog);
        let grant = |row: &purchase_core::snapshot::rows::EntitlementRow| {
            (row.benefit.clone(), row.quantity, row.state, row.price.clone())
        };
        rows.entitlements.iter().map(grant).collect::<Vec<_>>()
    };
    let of = |benefit: &str, quantity, state: Lifecycle, price: &str| {
        (benefit.to_owned(), Some(quantity), state, Some(price.to_owned()))
    };
    let active =
        [of("price_credits", 1, Lifecycle::Active, "price_credits"), of("seat", 3, Lifecycle::Active, "price_seat")];
    assert_eq!(grants(&facts), active);
    facts.push(shows(&payment, 2, "ref", ObjectState::Refund(Refund::new(RefundState::Succeeded, money(900)))));
    let refunded = [
        of("price_credits", 1, Lifecycle::Refunded, "price_credits"),
        of("seat", 3, Lifecycle::Refunded, "price_seat"),
    ];
    assert_eq!(grants(&facts), refunded);
}

/// One payment of one customer, as it is stored.
fn stored(source: &Source, owner: &str, items: &[(&str, u64)]) -> StoredSubject {
    let subject = Subject { source: source.clone(), root: ObjectRef::new(ObjectKind::Payment, id("pay_same")) };
    let mut fact = shows(&subject, 1, "pay_same", paid(items));
    fact.links = vec![
        Link::Customer(id("cus_same")),
        Link::Owner(CustomerId::new(owner).expect("an id")),
        Link::Invoice(id("in")),
    ];
    let (state, _) = SubjectState::fold(&subject, &[fact]);
    StoredSubject { subject, revision: 1, state }
}

#[test]
fn sources_that_use_the_same_ids_stand_apart_in_the_projection() {
    let sources = [
        source("acme", None, Mode::Live),
        source("acme", None, Mode::Test),
        source("acme", Some("acct_2"), Mode::Live),
        source("bcme", None, Mode::Live),
    ];
    let reading = |catalog| Reading {
        catalog,
        policy: Box::leak(Box::new(AccessPolicy::default())),
        dunning: Box::leak(Box::new(Dunning::default())),
        as_of: Timestamp::from_seconds(10).expect("in range"),
    };
    let (catalog, one) = (Catalog::default(), [("price_a", 1)]);
    let alone = Projection::of([stored(&sources[0], "user", &one)].iter().map(StoredSubject::parts), reading(&catalog))
        .expose_canonical();
    assert_eq!(alone["payments"]["pay_same"]["state"], "succeeded");
    assert_eq!(alone["entitlements"]["user"]["price_a"]["quantity"], 1);

    let subjects: Vec<StoredSubject> =
        sources.iter().zip(1..).map(|(source, quantity)| stored(source, "user", &[("price_a", quantity)])).collect();
    let together = Projection::of(subjects.iter().map(StoredSubject::parts), reading(&catalog)).expose_canonical();
    for (source, quantity) in sources.iter().zip(1..) {
        let key = |id: &str| format!("{}/{id}", source.expose());
        assert_eq!(together["payments"][key("pay_same")]["customer"], "cus_same");
        assert_eq!(together["entitlements"][key("user")]["price_a"]["quantity"], json!(quantity));
    }
    let keys = |map: &str| together[map].as_object().expect("a map").len();
    assert_eq!((keys("payments"), keys("entitlements")), (4, 4));
    let user = CustomerKey::Application(CustomerId::new("user").expect("an id"));
    let snapshots = Projection::of(subjects.iter().map(StoredSubject::parts), reading(&catalog)).customer(&user);
    let found: Vec<Option<i64>> =
        snapshots.iter().map(|it| it.entitlements.values().next().and_then(|it| it.quantity)).collect();
    assert_eq!(found, [Some(1), Some(2), Some(3), Some(4)]);
}

#[test]
fn a_customer_that_changes_and_changes_back_is_the_last_one() {
    let subscription = subject(ObjectKind::Subscription, "sub");
    let told = |second: i64, customer: &str| Fact {
        subject: subscription.clone(),
        event: id(&format!("evt_{second}")),
        version: Version::at(Timestamp::from_seconds(second).expect("in range")),
        observation: None,
        links: vec![Link::Customer(id(customer))],
    };
    let facts = [told(1, "cus_a"), told(2, "cus_b"), told(3, "cus_a")];
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
        let facts = order.map(|at| facts[at].clone());
        let (state, _) = SubjectState::fold(&subscription, &facts);
        assert_eq!(state.customer().map(ProviderId::expose), Some("cus_a"), "{order:?}");
    }
}
