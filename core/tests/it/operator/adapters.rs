//! Adapters that read acme's events differently from acme's own adapter.

use std::sync::Arc;

use purchase_core::{
    capability::Capabilities,
    delivery::{Headers, Limits},
    engine::Engine,
    fact::object_state::{Item, ObjectState, PaymentState, Subscription, SubscriptionStatus},
    id::{EventKey, Mode, ProviderName},
    provider::{Event, Meaning, Provider, ReadFault, Requests, Unreadable, Webhooks},
    store::{EventQuery, StoredEvent, SubjectQuery},
    verify::{PresentedSignature, SignatureError, Trust, VerifiedDelivery},
};

use super::acme::{self, Acme, id};

pub(crate) type Reading = Result<Event, Unreadable>;

/// Acme's adapter with every reading changed.
pub(crate) struct Changed {
    inner: Acme,
    change: Box<dyn Fn(Reading) -> Reading + Send + Sync>,
}

impl Changed {
    pub(crate) fn by(change: impl Fn(Reading) -> Reading + Send + Sync + 'static) -> Arc<dyn Provider> {
        Arc::new(Self { inner: Acme::new(), change: Box::new(change) })
    }

    /// An adapter that reads the head and then fails with this fault.
    pub(crate) fn failing(fault: ReadFault) -> Arc<dyn Provider> {
        Self::by(move |reading| {
            let head = reading.map_or_else(|unreadable| unreadable.head, |event| Some(event.head));
            Err(Unreadable { head, fault: fault.clone() })
        })
    }

    /// An adapter that takes the mode from its configuration if the body contains none.
    pub(crate) fn live() -> Arc<dyn Provider> {
        Self::by(|reading| {
            let mut event = reading.map_err(|mut unreadable| {
                unreadable.head.iter_mut().for_each(|head| head.key.source.mode = Mode::Live);
                unreadable
            })?;
            event.head.key.source.mode = Mode::Live;
            if let Meaning::Facts(facts) = &mut event.meaning {
                facts.iter_mut().for_each(|fact| fact.subject.source.mode = Mode::Live);
            }
            Ok(event)
        })
    }
}

impl Provider for Changed {
    fn name(&self) -> &ProviderName {
        self.inner.name()
    }

    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn longest_dunning_seconds(&self) -> i64 {
        self.inner.longest_dunning_seconds()
    }

    fn webhooks(&self) -> &dyn Webhooks {
        self
    }

    fn requests(&self) -> Option<&dyn Requests> {
        None
    }
}

impl Webhooks for Changed {
    fn trust(&self) -> &Trust {
        self.inner.trust()
    }

    fn presented_signature(&self, headers: &Headers, limits: &Limits) -> Result<PresentedSignature, SignatureError> {
        self.inner.presented_signature(headers, limits)
    }

    fn read(&self, delivery: &VerifiedDelivery) -> Reading {
        (self.change)(self.inner.read(delivery))
    }

    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        self.inner.same_content(one, other)
    }
}

pub(crate) fn shape() -> ReadFault {
    ReadFault::Shape { path: "facts".to_owned(), expected: "sense".to_owned(), found: "list".to_owned() }
}

/// An engine on the same store with another adapter.
pub(crate) fn over(engine: &Engine, provider: Arc<dyn Provider>) -> Engine {
    Engine::new(Arc::clone(engine.store())).with_provider(provider)
}

pub(crate) fn subscription(quantity: u64) -> ObjectState {
    let items = vec![Item { price: id("price_raw"), quantity: Some(quantity) }];
    ObjectState::Subscription(Box::new(Subscription {
        items,
        ..Subscription::new(SubscriptionStatus::Active, "active")
    }))
}

pub(crate) fn paid() -> ObjectState {
    ObjectState::Payment(purchase_core::fact::object_state::Payment::new(PaymentState::Succeeded, acme::money(900)))
}

pub(crate) async fn stored(engine: &Engine, event: &str) -> StoredEvent {
    let key = EventKey { source: acme::source(), id: id(event) };
    let query = EventQuery { key: Some(key), limit: 1, ..EventQuery::default() };
    engine.events(&query).await.expect("memory").remove(0)
}

/// The whole content of the store: events with their fates, facts, subjects with their revisions.
pub(crate) async fn contents(engine: &Engine) -> (Vec<StoredEvent>, String) {
    let events = engine.events(&EventQuery { limit: 100, ..EventQuery::default() }).await.expect("memory");
    let keys: Vec<EventKey> = events.iter().map(|stored| stored.event.key.clone()).collect();
    let facts = engine.store().facts(&keys).await.expect("memory");
    let everything = SubjectQuery { limit: 100, ..SubjectQuery::default() };
    let subjects = engine.store().subjects(&everything).await.expect("memory");
    let facts: Vec<_> = facts.into_iter().map(|stored| (stored.fact, stored.committed_at)).collect();
    let json = serde_json::to_string(&facts).expect("JSON");
    (events, format!("{json} {subjects:?}"))
}
