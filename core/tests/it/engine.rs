//! Tests how the engine processes a delivery on the memory store: what is kept, what is refused, who owns what.

mod future;
mod headers;
mod transitions;

use crate::acme::{self, at, body, delivery, engine, id, linked, money, projection, raw, statuses, subject, told};
use purchase_core::{
    engine::{Engine, Selection},
    error::Refusal,
    fact::{
        Link,
        object_state::{
            Customer, Invoice, InvoiceState, Item, ObjectState, Payment, PaymentState, Private, Refund, RefundState,
            Subscription, SubscriptionStatus,
        },
    },
    id::{CustomerId, EventKey, ObjectKind, ObjectRef},
    provider::ReadFault,
    receipt::Reconciliation,
    store::{ConflictQuery, EventQuery, EventStatus, Lease, Reason, SubjectQuery, Wanted, memory::MemoryStore},
};
use serde_json::{Value, json};
use std::sync::Arc;

fn payment(state: PaymentState) -> ObjectState {
    ObjectState::Payment(Payment::new(state, money(900)))
}

fn invoice(state: InvoiceState) -> ObjectState {
    ObjectState::Invoice(Invoice::new(state, money(900)))
}

fn unpriced(status: SubscriptionStatus) -> Subscription {
    Subscription::new(status, format!("{status:?}").to_lowercase())
}

fn subscription(status: SubscriptionStatus) -> ObjectState {
    ObjectState::Subscription(Box::new(unpriced(status)))
}

fn refund_of(payment: &str, refund: &str, state: RefundState) -> acme::Told {
    let mut told = linked(ObjectKind::Payment, payment, Vec::new());
    let object_state = ObjectState::Refund(Refund::new(state, money(900)));
    told.object = Some((ObjectRef::new(ObjectKind::Refund, id(refund)), object_state, None));
    told
}

async fn handle(engine: &Engine, body: &acme::Body) -> purchase_core::receipt::WebhookReceipt {
    engine.handle(delivery(body)).await.expect("accepted")
}

#[tokio::test]
async fn a_refund_before_its_payment_is_parked_and_moved_by_the_payment() {
    let engine = engine();
    let refunded = body("e1", 20, vec![refund_of("pay", "re", RefundState::Succeeded)]);
    let receipt = handle(&engine, &refunded).await;
    assert_eq!(receipt.status, EventStatus::Parked);
    assert!(matches!(receipt.reconciliation[..], [Reconciliation::OwnerUnknown { .. }]));
    assert_eq!(projection(&engine).await["parked"]["pay"]["kind"], json!("payment"));

    let paid = told(ObjectKind::Payment, "pay", payment(PaymentState::Succeeded), vec![Link::Customer(id("cus"))]);
    assert_eq!(handle(&engine, &body("e2", 10, vec![paid])).await.status, EventStatus::Processed);
    let shown = projection(&engine).await;
    assert_eq!(shown["parked"], json!({}));
    assert_eq!(shown["payments"]["pay"]["refunded"], json!(900));
    assert_eq!(shown["payments"]["pay"]["customer"], json!("cus"));
    let expect = [("e1".to_owned(), EventStatus::Processed), ("e2".to_owned(), EventStatus::Processed)];
    assert_eq!(statuses(engine.store().as_ref()).await, expect);
}

/// A refund names its payment, the payment its invoice, and only the invoice its customer. In any order of arrival, the
/// owner is found.
#[tokio::test]
async fn an_owner_is_taken_over_two_steps_in_any_order() {
    let told = [
        body("e1", 1, vec![refund_of("pay", "re", RefundState::Succeeded)]),
        body("e2", 2, vec![linked(ObjectKind::Payment, "pay", vec![Link::Invoice(id("inv"))])]),
        body("e3", 3, vec![linked(ObjectKind::Invoice, "inv", vec![Link::Subscription(id("sub"))])]),
        body(
            "e4",
            4,
            vec![told(
                ObjectKind::Subscription,
                "sub",
                subscription(SubscriptionStatus::Active),
                vec![Link::Customer(id("cus"))],
            )],
        ),
    ];
    let mut expect: Option<Value> = None;
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2], [0, 2, 1, 3]] {
        let engine = engine();
        for place in order {
            handle(&engine, &told[place]).await;
        }
        let shown = projection(&engine).await;
        assert_eq!(shown["payments"]["pay"]["customer"], json!("cus"), "{order:?}");
        assert_eq!(shown["payments"]["pay"]["subscription"], json!("sub"), "{order:?}");
        assert_eq!(shown["parked"], json!({}), "{order:?}");
        for (event, status) in statuses(engine.store().as_ref()).await {
            assert_eq!(status, EventStatus::Processed, "{event} in {order:?}");
        }
        assert_eq!(*expect.get_or_insert_with(|| shown.clone()), shown, "{order:?}");
        let before = projection(&engine).await;
        engine.rebuild().await.expect("memory store");
        assert_eq!(projection(&engine).await, before, "{order:?}");
    }
}

#[tokio::test]
async fn a_repetition_is_answered_and_a_contradiction_is_refused_and_kept() {
    let engine = engine();
    let mut first = body("e1", 1, vec![told(ObjectKind::Invoice, "inv", invoice(InvoiceState::Open), Vec::new())]);
    first.facts[0].links.push(Link::Customer(id("cus")));
    assert!(!handle(&engine, &first).await.duplicate);
    assert!(handle(&engine, &first).await.duplicate);
    first.attempt = 7;
    assert!(handle(&engine, &first).await.duplicate, "other bytes with the same content are a duplicate");

    first.at = 2;
    let refusal = engine.handle(delivery(&first)).await.expect_err("another body");
    assert!(matches!(refusal, Refusal::Conflict { .. }));
    assert_eq!(refusal.http_status(), 409);
    let key = EventKey { source: acme::source(), id: id("e1") };
    let query = EventQuery { key: Some(key.clone()), limit: 10, ..EventQuery::default() };
    let kept = engine.events(&query).await.expect("memory store");
    let kept: Vec<EventStatus> = kept.iter().map(|stored| stored.status).collect();
    assert_eq!(kept, [EventStatus::Processed]);
    let query = ConflictQuery { key: Some(key), limit: 10, ..ConflictQuery::default() };
    let bodies: Vec<Vec<u8>> =
        engine.conflicts(&query).await.expect("memory store").into_iter().map(|it| it.event.body).collect();
    assert_eq!(bodies, [delivery(&first).body.to_vec()]);
}

#[tokio::test]
async fn in_one_batch_repetitions_and_contradictions_are_told_apart() {
    let engine = engine();
    let one = body("e1", 1, vec![told(ObjectKind::Invoice, "inv", invoice(InvoiceState::Open), Vec::new())]);
    let other = acme::Body { at: 2, ..one.clone() };
    let odd = acme::Body { kind: "odd".to_owned(), id: "e2".to_owned(), ..one.clone() };
    let batch = [&one, &one, &other, &odd, &odd].map(delivery).to_vec();
    let answers = engine.handle_many(batch).await.expect("memory store");
    let told: Vec<String> = answers
        .iter()
        .map(|answer| match answer {
            Ok(receipt) => format!("{}{}", receipt.status.as_str(), if receipt.duplicate { " again" } else { "" }),
            Err(refusal) => refusal.code().to_owned(),
        })
        .collect();
    assert_eq!(told, ["parked", "parked again", "event_conflict", "body_shape", "body_shape"]);
}

#[tokio::test]
async fn a_body_that_cannot_be_read_is_kept_with_its_reason_and_due_again() {
    let engine = engine();
    let odd = acme::Body { kind: "odd".to_owned(), ..body("e1", 1, Vec::new()) };
    for attempts in 1..3 {
        let refusal = engine.handle(delivery(&odd)).await.expect_err("odd");
        assert_eq!(refusal.http_status(), 422);
        let kept = &engine.events(&EventQuery { limit: 10, ..EventQuery::default() }).await.expect("memory")[0];
        assert_eq!((kept.status, kept.attempts), (EventStatus::Failed, attempts));
        assert!(matches!(&kept.reason, Some(Reason::Read(ReadFault::Shape { path, .. })) if path == "facts[0]"));
        assert_eq!(kept.due_at, Some(at(1000 + (60 << (attempts - 1)))));
    }
    let lease = |token: &str| Lease { token: token.to_owned(), until: at(9000) };
    let early = engine.work(lease("one"), 10, at(1100)).await.expect("memory");
    assert_eq!(early.claimed, 0);
    let due = engine.work(lease("two"), 10, at(2000)).await.expect("memory");
    assert_eq!((due.claimed, due.statuses.get(&EventStatus::Failed)), (1, Some(&1)));
}

#[tokio::test]
async fn bytes_that_are_no_event_are_kept_under_their_digest_once() {
    let engine = engine();
    for _ in 0..2 {
        let refusal = engine.handle(raw(b"not json".to_vec())).await.expect_err("no event");
        assert_eq!((refusal.code(), refusal.http_status()), ("body_not_json", 422));
    }
    let kept = engine.events(&EventQuery { limit: 10, ..EventQuery::default() }).await.expect("memory");
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].event.body, b"not json");
    assert!(kept[0].event.key.id.expose().starts_with("sha256:"));
}

#[tokio::test]
async fn a_forged_delivery_stores_nothing() {
    let engine = engine();
    let mut forged = delivery(&body("e1", 1, Vec::new()));
    forged.body.push(b' ');
    let refusal = engine.handle(forged).await.expect_err("forged");
    assert_eq!((refusal.code(), refusal.http_status()), ("signature_mismatch", 401));
    let mut bare = delivery(&body("e1", 1, Vec::new()));
    bare.headers = purchase_core::delivery::Headers::new();
    assert_eq!(engine.handle(bare).await.expect_err("bare").code(), "signature_missing");
    let mut huge = delivery(&body("e1", 1, Vec::new()));
    huge.body = vec![b'x'; (1 << 20) + 1];
    assert_eq!(engine.handle(huge).await.expect_err("huge").http_status(), 413);
    let mut stray = delivery(&body("e1", 1, Vec::new()));
    stray.provider = purchase_core::id::ProviderName::new("nobody").expect("name");
    assert_eq!(engine.handle(stray).await.expect_err("stray").http_status(), 404);
    assert_eq!(statuses(engine.store().as_ref()).await, []);
}

#[tokio::test]
async fn an_unknown_type_is_ignored_and_a_thin_event_waits_for_a_fetch() {
    let engine = engine();
    let unknown = acme::Body { kind: "new.thing".to_owned(), ..body("e1", 1, Vec::new()) };
    assert_eq!(handle(&engine, &unknown).await.status, EventStatus::Ignored);
    assert!(handle(&engine, &unknown).await.duplicate);
    let thin = acme::Body { kind: "thin".to_owned(), ..body("e2", 1, Vec::new()) };
    let receipt = handle(&engine, &thin).await;
    assert_eq!(receipt.status, EventStatus::AwaitingFetch);
    assert_eq!(receipt.reconciliation, [Reconciliation::FetchNeeded]);
    assert!(receipt.answers.refresh_owed);
    let again = handle(&engine, &thin).await;
    assert_eq!((again.duplicate, again.status, again.answers.refresh_owed), (true, EventStatus::AwaitingFetch, true));
    let query = EventQuery { statuses: vec![EventStatus::AwaitingFetch], limit: 5, ..EventQuery::default() };
    let waiting = engine.events(&query).await.expect("memory");
    let [stored] = waiting.as_slice() else { panic!("one event waits: {waiting:?}") };
    assert_eq!((stored.event.key.id.expose(), stored.due_at), ("e2", None));
    assert!(matches!(stored.reason, Some(Reason::Fetch(_))));
}

#[tokio::test]
async fn a_queue_accepts_first_and_works_later() {
    let engine = engine();
    let paid = told(ObjectKind::Payment, "pay", payment(PaymentState::Succeeded), vec![Link::Customer(id("cus"))]);
    let event = body("e1", 1, vec![paid]);
    assert!(engine.accept(delivery(&event)).await.expect("accepted"));
    assert!(!engine.accept(delivery(&event)).await.expect("again"));
    assert_eq!(projection(&engine).await["payments"], json!({}));
    let lease = Lease { token: "w1".to_owned(), until: at(2000) };
    let report = engine.work(lease, 10, at(1000)).await.expect("memory");
    assert_eq!(report.statuses.get(&EventStatus::Processed), Some(&1));
    assert_eq!(projection(&engine).await["payments"]["pay"]["state"], json!("succeeded"));
}

#[tokio::test]
async fn an_observation_after_the_end_is_a_broken_contract_and_revives_nothing() {
    let engine = engine();
    let links = || vec![Link::Customer(id("cus"))];
    let ended = told(ObjectKind::Subscription, "sub", subscription(SubscriptionStatus::Canceled), links());
    handle(&engine, &body("e1", 10, vec![ended])).await;
    let revived = told(ObjectKind::Subscription, "sub", subscription(SubscriptionStatus::Active), links());
    let receipt = handle(&engine, &body("e2", 20, vec![revived])).await;
    assert!(matches!(receipt.reconciliation[..], [Reconciliation::ContractBroken { .. }]));
    assert_eq!(projection(&engine).await["subscriptions"]["sub"]["state"], json!("canceled"));
}

#[tokio::test]
async fn replay_reads_again_in_place_and_beside() {
    let engine = engine();
    let paid = told(ObjectKind::Payment, "pay", payment(PaymentState::Succeeded), vec![Link::Customer(id("cus"))]);
    handle(&engine, &body("e1", 10, vec![paid])).await;
    handle(&engine, &body("e2", 20, vec![refund_of("pay", "re", RefundState::Succeeded)])).await;
    let before = projection(&engine).await;
    let report = engine.replay(&Selection::EVERYTHING, at(5000)).await.expect("memory");
    assert_eq!((report.read, report.statuses.get(&EventStatus::Processed)), (2, Some(&2)));
    assert_eq!(projection(&engine).await, before);
    let one = Selection::Event(EventKey { source: acme::source(), id: id("e2") });
    assert_eq!(engine.replay(&one, at(5000)).await.expect("memory").read, 1);
    assert_eq!(projection(&engine).await, before);
    let beside = Arc::new(MemoryStore::new());
    engine.replay_into(&Selection::EVERYTHING, beside.clone()).await.expect("memory");
    assert_eq!(projection(&engine.over(beside)).await, before);
    let facts = engine.store().load(&Wanted::facts(vec![subject(ObjectKind::Payment, "pay")])).await;
    assert_eq!(facts.expect("memory").facts.len(), 2, "facts are replaced, not doubled");
}

#[tokio::test]
async fn a_customer_is_found_by_the_application_s_id_and_sees_no_provider_ids() {
    let engine = engine();
    let ada = ObjectState::Customer(Customer {
        email: Some(Private::new("ada@example.com")),
        name: None,
        deleted: false,
        archived: false,
        bare: false,
    });
    let owner = Link::Owner(CustomerId::new("user_1").expect("id"));
    handle(&engine, &body("e1", 1, vec![told(ObjectKind::Customer, "cus_raw", ada, vec![owner])])).await;
    let sold = vec![Link::Customer(id("cus_raw")), Link::Checkout(id("cs_raw"))];
    let paid = told(ObjectKind::Payment, "pay_raw", payment(PaymentState::Succeeded), sold);
    handle(&engine, &body("e2", 2, vec![paid])).await;
    let priced = ObjectState::Subscription(Box::new(Subscription {
        items: vec![Item { price: id("price_raw"), quantity: Some(1) }],
        ..unpriced(SubscriptionStatus::Active)
    }));
    let links = vec![Link::Customer(id("cus_raw"))];
    handle(&engine, &body("e3", 3, vec![told(ObjectKind::Subscription, "sub_raw", priced, links)])).await;
    let user = CustomerId::new("user_1").expect("id");
    let snapshots = engine.customer(&user, at(1000)).await.expect("memory");
    let [snapshot] = snapshots.as_slice() else { panic!("one source knows {user}: {snapshots:?}") };
    let shown = serde_json::to_string(snapshot).expect("JSON");
    assert!(!shown.contains("_raw"), "{shown}");
    let access: Vec<bool> = snapshot.entitlements.values().map(|it| it.access).collect();
    assert_eq!(access, [true, true]);
    assert_eq!(snapshot.agreements.len(), 2);
    let here = engine.customer_at(&acme::source(), &user, at(1000)).await.expect("memory");
    assert_eq!(here.as_ref(), Some(snapshot));
    // A provider's customer id isn't an id of the application. A customer that the application has claimed shows its
    // owner, but not the owner's data.
    for nobody in ["user_2", "cus_raw"] {
        let nobody = CustomerId::new(nobody).expect("id");
        assert_eq!(engine.customer(&nobody, at(1000)).await.expect("memory"), []);
    }
    let claimed = engine.provider_customer(&acme::source(), &id("cus_raw"), at(1000)).await.expect("memory");
    let claimed = claimed.expect("a customer of the provider");
    assert_eq!(claimed.customer, Some(user));
    assert_eq!((claimed.entitlements.len(), claimed.agreements.len()), (0, 0));
    let unknown = engine.provider_customer(&acme::source(), &id("user_1"), at(1000)).await.expect("memory");
    assert_eq!(unknown, None);
}

#[tokio::test]
async fn what_is_stored_prints_no_ids_and_no_personal_data() {
    let engine = engine();
    let ada = ObjectState::Customer(Customer {
        email: Some(Private::new("ada@example.com")),
        name: Some(Private::new("Ada Raw")),
        deleted: false,
        archived: false,
        bare: false,
    });
    handle(&engine, &body("e_raw", 1, vec![told(ObjectKind::Customer, "cus_raw", ada, Vec::new())])).await;
    let events = engine.events(&EventQuery { limit: 1, ..EventQuery::default() }).await.expect("memory");
    let facts = Wanted::facts(vec![subject(ObjectKind::Customer, "cus_raw")]);
    let facts = engine.store().load(&facts).await.expect("memory");
    let everything = SubjectQuery { limit: 10, ..SubjectQuery::default() };
    let subjects = engine.store().subjects(&everything).await.expect("memory");
    let printed = format!("{events:?} {facts:?} {subjects:?}");
    for private in ["raw", "Raw", "ada"] {
        assert!(!printed.contains(private), "{private} in {printed}");
    }
    assert_eq!((events.len(), facts.facts.len(), subjects.len()), (1, 1, 1));
}

#[tokio::test]
async fn a_link_that_is_known_costs_no_write() {
    let engine = engine();
    let told_again = |event: &str, seconds| {
        body(event, seconds, vec![linked(ObjectKind::Price, "pri", vec![Link::Product(id("pro"))])])
    };
    let revision = async || {
        let everything = SubjectQuery { limit: 10, ..SubjectQuery::default() };
        engine.store().subjects(&everything).await.expect("memory")[0].revision
    };
    handle(&engine, &told_again("e1", 10)).await;
    assert_eq!(revision().await, 1);
    assert_eq!(handle(&engine, &told_again("e2", 20)).await.status, EventStatus::Processed);
    assert_eq!(revision().await, 1);
    handle(&engine, &told_again("e3", 5)).await;
    assert_eq!(revision().await, 2, "an earlier statement moves the link's version");
}

#[tokio::test]
async fn a_queue_refuses_what_inline_handling_refuses() {
    let engine = engine();
    let first = body("e1", 1, vec![linked(ObjectKind::Subscription, "sub", vec![Link::Customer(id("cus"))])]);
    assert!(engine.accept(delivery(&first)).await.expect("new"));
    let other = acme::Body { at: 2, ..first.clone() };
    assert_eq!(engine.accept(delivery(&other)).await.expect_err("another body").code(), "event_conflict");
    let odd = acme::Body { kind: "odd".to_owned(), ..body("e2", 1, Vec::new()) };
    assert_eq!(engine.accept(delivery(&odd)).await.expect_err("odd").code(), "body_shape");
    let expect = [("e1".to_owned(), EventStatus::Received), ("e2".to_owned(), EventStatus::Failed)];
    assert_eq!(statuses(engine.store().as_ref()).await, expect);
}

#[tokio::test]
async fn an_event_without_an_adapter_hinders_no_other() {
    let engine = engine();
    let mut stray = Vec::new();
    for (event, provider) in [("e1", "gone"), ("e2", "acme")] {
        let told = vec![linked(ObjectKind::Subscription, "sub", vec![Link::Customer(id("cus"))])];
        let sent = delivery(&body(event, 1, told));
        let mut key = EventKey { source: acme::source(), id: id(event) };
        key.source.provider = purchase_core::id::ProviderName::new(provider).expect("name");
        stray.push(purchase_core::store::NewEvent {
            key,
            event_type: "told".to_owned(),
            api_version: None,
            occurred_at: None,
            received_at: at(1000),
            ordering_key: None,
            body: sent.body,
            digest: [0; 32],
        });
    }
    engine.store().accept(&stray).await.expect("memory");
    let lease = Lease { token: "w".to_owned(), until: at(2000) };
    let report = engine.work(lease, 10, at(1000)).await.expect("memory");
    assert_eq!((report.elsewhere, report.dead), (1, 0));
    assert_eq!(report.statuses.into_iter().collect::<Vec<_>>(), [(EventStatus::Processed, 1)]);
    assert_eq!(report.receipts.len(), 1);
}

/// A one-time checkout may create an invoice for its payment. The buyer keeps what was bought.
#[tokio::test]
async fn an_invoice_takes_no_purchase_away() {
    let engine = engine();
    let links = vec![Link::Customer(id("cus")), Link::Checkout(id("cs")), Link::Invoice(id("inv"))];
    let paid = told(ObjectKind::Payment, "pay", payment(PaymentState::Succeeded), links);
    handle(&engine, &body("e1", 1, vec![paid])).await;
    let shown = projection(&engine).await;
    // No customer of the application claims the provider's customer.
    assert_eq!(shown["unlinked"]["cus"]["pay"]["access"], json!(true));
    assert_eq!(shown["entitlements"], json!({}));
}

/// An object known only by a link stays pending. It isn't known yet what it belongs to, and nobody waits for it.
#[tokio::test]
async fn an_object_known_only_by_a_link_is_parked_and_the_object_it_waits_for_is_not() {
    let engine = engine();
    let linked = linked(ObjectKind::Payment, "pay", vec![Link::Invoice(id("inv"))]);
    assert_eq!(handle(&engine, &body("e1", 1, vec![linked])).await.status, EventStatus::Parked);
    let expect = json!({ "pay": { "kind": "payment", "waits_for": ["inv"] } });
    assert_eq!(projection(&engine).await["parked"], expect);
}

/// Two states at the same instant without an order: the object must be fetched, unless a later observation settles it.
#[tokio::test]
async fn an_order_that_only_event_ids_give_is_signalled() {
    let engine = engine();
    let state = |event: &str, seconds, quantity| {
        let items = vec![Item { price: id("price"), quantity: Some(quantity) }];
        let object_state =
            ObjectState::Subscription(Box::new(Subscription { items, ..unpriced(SubscriptionStatus::Active) }));
        body(event, seconds, vec![told(ObjectKind::Subscription, "sub", object_state, vec![Link::Customer(id("cus"))])])
    };
    assert_eq!(handle(&engine, &state("e1", 10, 5)).await.reconciliation, []);
    let tied = handle(&engine, &state("e2", 10, 6)).await;
    assert!(matches!(tied.reconciliation[..], [Reconciliation::Ambiguous { .. }]), "{:?}", tied.reconciliation);
    assert_eq!(projection(&engine).await["ambiguous"], json!({ "sub": { "kind": "subscription" } }));
    assert_eq!(handle(&engine, &state("e3", 20, 6)).await.reconciliation, []);
    assert_eq!(projection(&engine).await["ambiguous"], json!({}));
}
