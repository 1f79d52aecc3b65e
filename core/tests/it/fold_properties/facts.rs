//! Decides with which facts the properties are tested: few instants and few values, so that ties, equal states and
//! cycles are common; one clock and two; every kind of object that is a member of a subject; every kind of link.

use proptest::prelude::*;
use purchase_core::{
    fact::{
        Fact, Link, Observation, Phase, Version,
        object_state::{
            Charge, ChargeState, Credit, CreditState, Dispute, DisputeState, Invoice, InvoiceState, Item, ObjectState,
            Payment, PaymentState, Period, Refund, RefundState, Release, Reversal, Subscription, SubscriptionStatus,
            Undone,
        },
    },
    id::{CustomerId, Mode, ObjectKind, ObjectRef, OfferId, ProviderId, ProviderName, Source, Subject},
    money::{Currency, Money},
    time::Timestamp,
};

pub(crate) fn id(text: impl Into<String>) -> ProviderId {
    ProviderId::new(text.into()).expect("id")
}

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_seconds(seconds).expect("in range")
}

pub(crate) fn subject() -> Subject {
    Subject {
        source: Source { provider: ProviderName::new("acme").expect("name"), account: None, mode: Mode::Test },
        root: ObjectRef::new(ObjectKind::Subscription, id("s")),
    }
}

/// A version of a provider with one clock, or with two different times: when the object was changed, and when the event
/// was created.
pub(crate) fn version() -> impl Strategy<Value = Version> {
    let two = (0..4_i64, 0..3_i64).prop_map(|(first, later)| Version { at: at(first), then: at(first + later) });
    prop_oneof![(0..4_i64).prop_map(|seconds| Version::at(at(seconds))), two]
}

pub(crate) fn subscription() -> impl Strategy<Value = ObjectState> {
    let status = prop_oneof![
        4 => Just(SubscriptionStatus::Active),
        1 => Just(SubscriptionStatus::PastDue),
        1 => Just(SubscriptionStatus::Paused),
        1 => Just(SubscriptionStatus::Pending),
        1 => Just(SubscriptionStatus::Unknown),
        1 => Just(SubscriptionStatus::Canceled),
    ];
    let some_time = || proptest::option::of(0..2_i64);
    (status, 1..4_u64, some_time(), some_time(), some_time(), 0..2_i64).prop_map(
        |(status, quantity, cancel_at, pause_at, resume_at, start)| {
            ObjectState::Subscription(Box::new(Subscription {
                items: vec![Item { price: id("p"), quantity: Some(quantity) }],
                period: Some(Period { start: at(start), end: at(start + 10) }),
                cancel_at: cancel_at.map(at),
                ended_at: (status == SubscriptionStatus::Canceled).then(|| at(5)),
                pause_at: pause_at.map(at),
                resume_at: resume_at.map(at),
                ..Subscription::new(status, format!("{status:?}"))
            }))
        },
    )
}

fn money(minor: i64) -> Money {
    Money::new(minor, Currency::new("EUR").expect("EUR")).expect("in range")
}

fn invoice() -> impl Strategy<Value = ObjectState> {
    let state = prop_oneof![
        Just(InvoiceState::Draft),
        Just(InvoiceState::Open),
        Just(InvoiceState::Uncollectible),
        Just(InvoiceState::Paid),
        Just(InvoiceState::Void),
    ];
    (state, 0..3_i64, 0..3_u32, proptest::option::of(6..8_i64)).prop_map(|(state, paid, attempts, finalized_at)| {
        ObjectState::Invoice(Invoice {
            amount_paid: money(paid),
            attempts,
            finalized_at: finalized_at.map(at),
            paid_at: (state == InvoiceState::Paid).then(|| at(7)),
            ..Invoice::new(state, money(3))
        })
    })
}

fn payment() -> impl Strategy<Value = ObjectState> {
    let state = prop_oneof![
        Just(PaymentState::Pending),
        Just(PaymentState::Failed),
        Just(PaymentState::Authorized),
        Just(PaymentState::Succeeded),
    ];
    (state, 0..3_u8, any::<bool>()).prop_map(|(state, step, sells)| {
        let items = sells.then(|| Item { price: id("p"), quantity: Some(1) }).into_iter().collect();
        ObjectState::Payment(Payment { step, items, ..Payment::new(state, money(9)) })
    })
}

/// Members of a payment and of an invoice: attempts, refunds, disputes, credits, and objects that report a reversal.
fn member() -> impl Strategy<Value = ObjectState> {
    let charge = prop_oneof![Just(ChargeState::Pending), Just(ChargeState::Failed), Just(ChargeState::Succeeded)];
    let refund = prop_oneof![
        Just(RefundState::Unknown),
        Just(RefundState::Pending),
        Just(RefundState::Succeeded),
        Just(RefundState::Canceled),
        Just(RefundState::Failed),
    ];
    let dispute = prop_oneof![
        Just(DisputeState::Inquiry),
        Just(DisputeState::Open),
        Just(DisputeState::Lost),
        Just(DisputeState::Won),
    ];
    let credit = prop_oneof![Just(CreditState::Pending), Just(CreditState::Issued), Just(CreditState::Rejected)];
    let undone = prop_oneof![Just(Undone::Nothing), Just(Undone::Credit), Just(Undone::Dispute), Just(Undone::Inquiry)];
    prop_oneof![
        (charge, 0..9_i64, proptest::option::of(0..9_i64), any::<bool>()).prop_map(
            |(state, refunded, captured, may_count_release)| ObjectState::Charge(Charge {
                state,
                amount: money(9),
                captured: captured.map(money),
                refunded: money(refunded),
                may_count_release,
            })
        ),
        (refund, 1..5_i64).prop_map(|(state, amount)| ObjectState::Refund(Refund::new(state, money(amount)))),
        any::<(bool, bool)>().prop_map(|(counted, by_version)| ObjectState::Release(Release { counted, by_version })),
        dispute.prop_map(|state| ObjectState::Dispute(Dispute { state, amount: money(9) })),
        (credit, 1..3_i64).prop_map(|(state, amount)| ObjectState::Credit(Credit { state, amount: money(amount) })),
        undone.prop_map(|undoes| ObjectState::Reversal(Reversal { undoes })),
    ]
}

pub(crate) fn links() -> impl Strategy<Value = Vec<Link>> {
    let link = (0..10_u8, 0..3_u8, proptest::option::of(0..2_u8)).prop_map(|(kind, salt, by)| {
        let target = || id(format!("t{salt}"));
        let by = by.map(|by| ObjectRef::new(ObjectKind::Invoice, id(format!("i{by}"))));
        match kind {
            0 => Link::Checkout(target()),
            1 => Link::Customer(target()),
            2 => Link::Invoice(target()),
            3 => Link::Offer(OfferId::new(format!("o{salt}")).expect("offer")),
            4 => Link::Owner(CustomerId::new(format!("u{salt}")).expect("owner")),
            5 => Link::Payment(target()),
            6 => Link::Product(target()),
            7 => Link::InferredOffer { offer: OfferId::new(format!("o{salt}")).expect("offer"), by },
            8 => Link::InferredOwner { owner: CustomerId::new(format!("u{salt}")).expect("owner"), by },
            _ => Link::Subscription(target()),
        }
    });
    proptest::collection::vec(link, 0..3)
}

/// Facts with distinct events.
pub(crate) fn facts() -> impl Strategy<Value = Vec<Fact>> {
    let phase = prop_oneof![1 => Just(Phase::Created), 6 => Just(Phase::Changed), 1 => Just(Phase::Ended)];
    let shown = prop_oneof![
        6 => (subscription(), proptest::option::of(subscription())),
        2 => (invoice(), proptest::option::of(invoice())),
        2 => (payment(), proptest::option::of(payment())),
        4 => member().prop_map(|object_state| (object_state, None)),
    ];
    let observation = (shown, phase, 0..2_u8).prop_map(|((object_state, prior), phase, salt)| Observation {
        object: ObjectRef::new(object_state.kind(), id(format!("o{salt}"))),
        phase,
        prior: prior.filter(|prior| prior.kind() == object_state.kind()),
        object_state,
    });
    let fact = (proptest::option::weighted(0.9, observation), version(), links(), any::<u16>());
    proptest::collection::vec(fact, 1..14).prop_map(|facts| {
        facts
            .into_iter()
            .enumerate()
            .map(|(place, (observation, version, links, salt))| Fact {
                subject: subject(),
                event: id(format!("{salt:04x}{place}")),
                version,
                observation,
                links,
            })
            .collect()
    })
}
