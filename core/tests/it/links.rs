//! Tests what a subject is known to belong to, as its rows show it.

use purchase_core::{
    catalog::Catalog,
    fact::{
        Fact, Link, Observation, Phase, Version,
        object_state::{
            Checkout, CheckoutMode, CheckoutState, Item, ObjectState, Price, Subscription, SubscriptionStatus,
        },
    },
    fold::SubjectState,
    id::{Mode, ObjectRef, OfferId, ProviderId, ProviderName, Source, Subject},
    snapshot::{derive, rows::Rows},
    time::Timestamp,
};

fn id(text: &str) -> ProviderId {
    ProviderId::new(text).expect("id")
}

fn offer(text: &str) -> Link {
    Link::Offer(OfferId::new(text).expect("an offer"))
}

/// The rows of one object that was observed at these seconds with these links.
fn rows(object_state: &ObjectState, told: &[(i64, Link)]) -> Rows {
    let source = Source { provider: ProviderName::new("acme").expect("name"), account: None, mode: Mode::Test };
    let subject = Subject { source, root: ObjectRef::new(object_state.kind(), id("object")) };
    let facts = told.iter().zip(1..).map(|((second, link), place)| Fact {
        subject: subject.clone(),
        event: id(&format!("e{place}")),
        version: Version::at(Timestamp::from_seconds(*second).expect("in range")),
        observation: Some(Observation {
            object: subject.root.clone(),
            phase: Phase::Changed,
            object_state: object_state.clone(),
            prior: None,
        }),
        links: vec![link.clone()],
    });
    let (state, _) = SubjectState::fold(&subject, &facts.collect::<Vec<_>>());
    derive::rows(&subject, &state, &Catalog::default())
}

#[test]
fn a_checkout_names_what_it_led_to() {
    let object_state = ObjectState::Checkout(Checkout { state: CheckoutState::Paid, mode: CheckoutMode::Payment });
    let told = [(1, Link::Payment(id("pay"))), (2, Link::Subscription(id("sub"))), (3, Link::Customer(id("cus")))];
    let row = &rows(&object_state, &told).checkouts[0];
    let found = [&row.payment, &row.subscription, &row.customer].map(Option::as_deref);
    assert_eq!(found, [Some("pay"), Some("sub"), Some("cus")]);
}

#[test]
fn a_price_names_its_product() {
    let object_state =
        ObjectState::Price(Price { active: true, unit_amount: None, interval: None, deleted: false, bare: false });
    assert_eq!(rows(&object_state, &[(1, Link::Product(id("prod")))]).prices[0].product.as_deref(), Some("prod"));
}

/// Metadata set by the application can change, and change back. The latest value counts.
#[test]
fn an_agreement_grants_the_offer_that_was_named_last() {
    let object_state = ObjectState::Subscription(Box::new(Subscription {
        items: vec![Item { price: id("price"), quantity: Some(1) }],
        ..Subscription::new(SubscriptionStatus::Active, "active")
    }));
    let benefit = |told: &[(i64, Link)]| rows(&object_state, told).entitlements[0].benefit.clone();
    assert_eq!(benefit(&[(1, Link::Customer(id("cus")))]), "price");
    assert_eq!(benefit(&[(1, offer("basic")), (2, offer("pro"))]), "pro");
    assert_eq!(benefit(&[(2, offer("basic")), (1, offer("pro"))]), "basic");
    assert_eq!(benefit(&[(1, offer("basic")), (2, offer("pro")), (3, offer("basic"))]), "basic");
}
