//! Tests that a database written by an older version can be read again: the report lists the answers that change before
//! anything is written.

use std::sync::Arc;

use purchase_core::{
    catalog::Catalog,
    engine::{Answer, AnswerChange, Engine, RereadOptions, RereadReport, Selection},
    fact::{Fact, Link, object_state::ObjectState},
    id::{CustomerId, Mode, ObjectKind, Subject},
    provider::{Meaning, Provider},
    store::{EventStatus, memory::MemoryStore},
};

use super::{
    acme::{self, Acme, at, body, delivery, id, linked, projection, told},
    adapters::{Changed, contents, over, shape, stored, subscription},
};

/// An earlier version of the adapter with wrong facts.
fn older(change: impl Fn(&mut Fact) + Send + Sync + 'static) -> Arc<dyn Provider> {
    Changed::by(move |reading| {
        let mut event = reading?;
        if let Meaning::Facts(facts) = &mut event.meaning {
            facts.iter_mut().for_each(&change);
        }
        Ok(event)
    })
}

/// It read one seat, whatever was sold.
fn one_seat(fact: &mut Fact) {
    if let Some(observation) = &mut fact.observation
        && let ObjectState::Subscription(subscription) = &mut observation.object_state
    {
        subscription.items.iter_mut().for_each(|item| item.quantity = Some(1));
    }
}

fn event_id(event: &str) -> String {
    purchase_core::id::EventKey { source: acme::source(), id: id(event) }.public_id()
}

fn public(kind: ObjectKind, name: &str) -> String {
    acme::subject(kind, name).public_id()
}

/// Three customers: two of the application, and one known only to the provider.
async fn sold(provider: Arc<dyn Provider>) -> Engine {
    let engine = Engine::new(Arc::new(MemoryStore::new())).with_provider(provider);
    let links = |customer: &str, owner: Option<&str>| {
        let owner = owner.map(|owner| Link::Owner(CustomerId::new(owner).expect("an id")));
        [Link::Customer(id(customer))].into_iter().chain(owner).collect::<Vec<_>>()
    };
    let sub = |name: &str, seats, links| told(ObjectKind::Subscription, name, subscription(seats), links);
    let bodies = [
        body("e1", 1, vec![sub("sub_1", 1, links("cus_1", Some("user_1")))]),
        body("e2", 2, vec![told_customer("cus_2", "user_2"), sub("sub_2", 5, links("cus_2", None))]),
        body("e3", 3, vec![sub("sub_3", 7, links("cus_3", None))]),
        acme::Body { kind: "odd".to_owned(), ..body("e4", 4, Vec::new()) },
    ];
    for body in &bodies {
        assert_eq!(engine.handle(delivery(body)).await.is_ok(), body.id != "e4");
    }
    assert!(engine.accept(delivery(&body("e5", 5, Vec::new()))).await.expect("kept"));
    engine
}

fn seats(quantity: i64) -> Option<Answer> {
    Some(Answer { access: true, until: None, quantity: Some(quantity) })
}

fn change(customer: &str, linked: bool, event: &str, before: i64, after: i64) -> AnswerChange {
    AnswerChange {
        provider: acme::source().provider,
        mode: Mode::Test,
        customer: customer.to_owned(),
        linked,
        benefit: public(ObjectKind::Price, "price_raw"),
        before: seats(before),
        after: seats(after),
        events: vec![event_id(event)],
        events_left_off: 0,
    }
}

#[tokio::test]
async fn a_dry_run_lists_the_changed_answers_and_writes_nothing_and_a_real_run_writes_them() {
    let old = sold(older(one_seat)).await;
    let engine = over(&old, Arc::new(Acme::new()));
    let before = contents(&old).await;
    let dry = engine.reread(&RereadOptions::dry_run(at(1000))).await.expect("memory");
    let expect = RereadReport {
        read: 4,
        changed_readings: 2,
        queued: 1,
        subjects: 4,
        changed_subjects: 2,
        changed_customers: 2,
        changes: vec![
            change("user_2", true, "e2", 1, 5),
            change(&public(ObjectKind::Customer, "cus_3"), false, "e3", 1, 7),
        ],
        ..RereadReport::default()
    };
    assert_eq!(dry, expect);
    assert_eq!(contents(&old).await, before);
    let shown = serde_json::to_string(&dry).expect("JSON");
    assert!(!shown.contains("_raw") && !shown.contains("cus_3"), "{shown}");

    let apply = RereadOptions { dry_run: false, ..RereadOptions::dry_run(at(1000)) };
    let applied = engine.reread(&apply).await.expect("memory");
    assert_eq!(applied, RereadReport { applied: true, ..expect });
    let fresh = sold(Arc::new(Acme::new())).await;
    assert_eq!(projection(&engine).await, projection(&fresh).await);
    // Subjects that were already right were not written.
    assert_eq!([stored(&engine, "e1").await.attempts, stored(&engine, "e2").await.attempts], [1, 2]);
    assert_eq!(stored(&engine, "e5").await.status, EventStatus::Received);

    let again = engine.reread(&apply).await.expect("memory");
    let nothing = RereadReport { read: 4, queued: 1, subjects: 4, applied: true, ..RereadReport::default() };
    assert_eq!(again, nothing);
}

/// An object that moves to another customer, through a subject that is only pending.
#[tokio::test]
async fn an_owner_that_an_older_reading_missed_changes_both_answers() {
    let forgetful = |fact: &mut Fact| fact.links.retain(|link| !matches!(link, Link::Owner(_)));
    let old = Engine::new(Arc::new(MemoryStore::new())).with_provider(older(forgetful));
    let invoice = linked(ObjectKind::Invoice, "inv", vec![Link::Customer(id("cus"))]);
    let sub = told(ObjectKind::Subscription, "sub", subscription(3), vec![Link::Invoice(id("inv"))]);
    let customer = told_customer("cus", "user_1");
    for (event, fact) in [("e1", sub), ("e2", invoice), ("e3", customer)] {
        old.handle(delivery(&body(event, 1, vec![fact]))).await.expect("accepted");
    }
    let engine = over(&old, Arc::new(Acme::new()));
    let report = engine.reread(&RereadOptions::dry_run(at(1000))).await.expect("memory");
    assert_eq!((report.changed_readings, report.changed_customers), (1, 2));
    let told: Vec<_> = report.changes.iter().map(|it| (it.customer.clone(), it.before, it.after)).collect();
    assert_eq!(told, [("user_1".to_owned(), None, seats(3)), (public(ObjectKind::Customer, "cus"), seats(3), None),]);
    assert!(report.changes.iter().all(|it| it.events == [event_id("e3")]), "{:?}", report.changes);
    // The dry run took the same path as the real run.
    engine.reread(&RereadOptions { dry_run: false, ..RereadOptions::dry_run(at(1000)) }).await.expect("memory");
    let shown = projection(&engine).await;
    assert_eq!(shown["entitlements"]["user_1"]["price_raw"]["quantity"], 3);
}

fn told_customer(name: &str, owner: &str) -> acme::Told {
    let object_state = purchase_core::fact::object_state::Customer {
        email: None,
        name: None,
        deleted: false,
        archived: false,
        bare: false,
    };
    let owner = Link::Owner(CustomerId::new(owner).expect("an id"));
    told(ObjectKind::Customer, name, ObjectState::Customer(object_state), vec![owner])
}

#[tokio::test]
async fn the_list_is_bounded_and_says_what_it_leaves_off() {
    let old = sold(older(one_seat)).await;
    let engine = over(&old, Arc::new(Acme::new()));
    let options = RereadOptions { listed: 1, ..RereadOptions::dry_run(at(1000)) };
    let report = engine.reread(&options).await.expect("memory");
    assert_eq!((report.changes.len(), report.changes_left_off, report.changed_customers), (1, 1, 2));
}

#[tokio::test]
async fn what_cannot_be_read_is_left_and_counted() {
    let right = sold(Arc::new(Acme::new())).await;
    let before = contents(&right).await;
    let apply = RereadOptions { dry_run: false, ..RereadOptions::dry_run(at(1000)) };
    let broken = over(&right, Changed::failing(shape())).reread(&apply).await.expect("memory");
    let nothing = RereadReport { read: 4, queued: 1, subjects: 4, applied: true, ..RereadReport::default() };
    assert_eq!(broken, RereadReport { unreadable_now: 3, ..nothing.clone() });
    let bare = Engine::new(Arc::clone(right.store())).reread(&apply).await.expect("memory");
    assert_eq!(bare, RereadReport { left: [("no_adapter", 4)].into(), ..nothing });
    let (events, _) = contents(&right).await;
    assert_eq!(events, before.0);
}

/// A state left by an older fold, with correct facts.
#[tokio::test]
async fn a_state_that_contradicts_its_facts_is_reported_without_an_event() {
    let engine = sold(Arc::new(Acme::new())).await;
    let subject = acme::subject(ObjectKind::Subscription, "sub_2");
    leave_as(&engine, &subject, 4).await;
    let report = engine.reread(&RereadOptions::dry_run(at(1000))).await.expect("memory");
    let expect = AnswerChange { events: Vec::new(), ..change("user_2", true, "e2", 4, 5) };
    assert_eq!((report.changed_readings, report.changed_subjects, report.changes), (0, 1, vec![expect]));
    engine.reread(&RereadOptions { dry_run: false, ..RereadOptions::dry_run(at(1000)) }).await.expect("memory");
    let fresh = sold(Arc::new(Acme::new())).await;
    assert_eq!(projection(&engine).await, projection(&fresh).await);
}

/// Writes a subject as if it had been folded from other facts.
async fn leave_as(engine: &Engine, subject: &Subject, seats: u64) {
    use purchase_core::{
        fold::SubjectState,
        snapshot::derive,
        store::{Commit, SubjectQuery, SubjectWrite, Wanted},
    };
    let mut facts = engine.store().load(&Wanted::facts(vec![subject.clone()])).await.expect("memory").facts;
    for fact in &mut facts {
        if let Some(observation) = &mut fact.observation {
            observation.object_state = subscription(seats);
        }
    }
    let all = SubjectQuery { limit: 10, ..SubjectQuery::default() };
    let subjects = engine.store().subjects(&all).await.expect("memory");
    let known = subjects.iter().find(|stored| stored.subject == *subject).expect("a stored subject");
    let state = SubjectState::fold(subject, &facts).0;
    let write = SubjectWrite {
        subject: subject.clone(),
        expected_revision: known.revision,
        rows: derive::rows(subject, &state, &Catalog::default()),
        state,
        transitions: Vec::new(),
        owner_settled: true,
    };
    engine.store().commit(&Commit { subjects: vec![write], ..Commit::default() }).await.expect("memory");
}

/// An older reading found an owner that no event names.
#[tokio::test]
async fn a_link_that_an_older_reading_made_up_is_taken_away() {
    let inventive = |fact: &mut Fact| fact.links.push(Link::Owner(CustomerId::new("user_9").expect("an id")));
    let old = Engine::new(Arc::new(MemoryStore::new())).with_provider(older(inventive));
    let sub = told(ObjectKind::Subscription, "sub", subscription(3), vec![Link::Customer(id("cus"))]);
    old.handle(delivery(&body("e1", 1, vec![sub]))).await.expect("accepted");
    let engine = over(&old, Arc::new(Acme::new()));
    let report = engine.reread(&RereadOptions::dry_run(at(1000))).await.expect("memory");
    let told: Vec<_> = report.changes.iter().map(|it| (it.customer.clone(), it.before, it.after)).collect();
    let customer = public(ObjectKind::Customer, "cus");
    assert_eq!(told, [("user_9".to_owned(), seats(3), None), (customer, None, seats(3))]);
}

/// More subjects than fit on a page. Each subscription takes its owner from an invoice on an earlier page.
#[tokio::test]
async fn pages_are_read_to_the_end() {
    const CUSTOMERS: u64 = 130;
    let sell = async |provider: Arc<dyn Provider>| {
        let engine = Engine::new(Arc::new(MemoryStore::new())).with_provider(provider);
        for number in 0..CUSTOMERS {
            let invoice = format!("inv_{number:03}");
            let links = vec![Link::Invoice(id(&invoice))];
            let sub = told(ObjectKind::Subscription, &format!("sub_{number:03}"), subscription(2 + number % 2), links);
            let links = vec![Link::Customer(id(&format!("cus_{number:03}")))];
            let invoice = linked(ObjectKind::Invoice, &invoice, links);
            for (event, fact) in [("s", sub), ("i", invoice)] {
                engine.handle(delivery(&body(&format!("{event}{number}"), 1, vec![fact]))).await.expect("accepted");
            }
        }
        engine
    };
    let forgetful = |fact: &mut Fact| {
        if fact.subject.root.id.expose() > "inv_004" {
            fact.links.retain(|link| !matches!(link, Link::Customer(_)));
        }
    };
    let old = sell(older(forgetful)).await;
    let engine = over(&old, Arc::new(Acme::new()));
    let report = engine.reread(&RereadOptions { dry_run: false, ..RereadOptions::dry_run(at(1000)) }).await;
    let report = report.expect("memory");
    assert_eq!((report.read, report.changed_readings, report.subjects), (260, 125, 260));
    assert_eq!((report.changed_subjects, report.changed_customers, report.changes.len()), (250, 125, 125));
    assert!(report.changes.iter().all(|it| it.before.is_none() && it.after.is_some_and(|after| after.access)));
    let right = sell(Arc::new(Acme::new())).await;
    assert_eq!(projection(&engine).await, projection(&right).await);
    let replayed = engine.replay(&Selection::EVERYTHING, at(5000)).await.expect("memory");
    assert_eq!(replayed.statuses.into_iter().collect::<Vec<_>>(), [(EventStatus::Processed, 260)]);
}
