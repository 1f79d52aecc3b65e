//! Decides how one adapter stands before another: it answers as the other does, apart from what is set otherwise. For
//! mutants, and for tests that need an adapter which differs from a right one in a single thing.

use std::sync::Arc;

use purchase_core::{
    capability::Capabilities,
    delivery::{Headers, Limits},
    fact::Fact,
    id::{ProviderName, Source},
    provider::{Event, Meaning, Provider, Requests, Unreadable, Webhooks},
    verify::{PresentedSignature, SignatureError, Trust, VerifiedDelivery},
};

/// Reads a delivery, given how the right adapter reads it.
pub type Reread = dyn Fn(&VerifiedDelivery, Result<Event, Unreadable>) -> Result<Event, Unreadable> + Send + Sync;

/// Compares two bodies, given whether they say the same to the right adapter.
pub type Compare = dyn Fn(&[u8], &[u8], bool) -> bool + Send + Sync;

/// A right adapter, and what is done to what it says.
pub struct Wrapped {
    /// The right adapter.
    pub inner: Arc<dyn Provider>,
    /// What it is called.
    pub name: ProviderName,
    /// What it declares.
    pub capabilities: Capabilities,
    /// How long it goes on collecting.
    pub longest_dunning_seconds: i64,
    /// What it believes.
    pub trust: Trust,
    /// What it makes of the signatures that were found.
    pub claim: fn(PresentedSignature) -> PresentedSignature,
    /// What it makes of a reading.
    pub read: Box<Reread>,
    /// What it makes of a comparison.
    pub same_content: Box<Compare>,
}

impl Wrapped {
    /// Answers as the adapter does.
    pub fn new(inner: Arc<dyn Provider>) -> Self {
        Self {
            name: inner.name().clone(),
            capabilities: inner.capabilities(),
            longest_dunning_seconds: inner.longest_dunning_seconds(),
            trust: inner.webhooks().trust().clone(),
            claim: |claim| claim,
            read: Box::new(|_, reading| reading),
            same_content: Box::new(|_, _, same| same),
            inner,
        }
    }

    /// Reads otherwise.
    pub fn reading(
        inner: Arc<dyn Provider>,
        read: impl Fn(&VerifiedDelivery, Result<Event, Unreadable>) -> Result<Event, Unreadable> + Send + Sync + 'static,
    ) -> Arc<dyn Provider> {
        Arc::new(Self { read: Box::new(read), ..Self::new(inner) })
    }

    /// Changes the facts of every event.
    pub fn facts(
        inner: Arc<dyn Provider>,
        change: impl Fn(&mut Vec<Fact>) + Send + Sync + 'static,
    ) -> Arc<dyn Provider> {
        Self::reading(inner, move |_, reading| {
            reading.map(|mut event| {
                if let Meaning::Facts(facts) = &mut event.meaning {
                    change(facts);
                }
                event
            })
        })
    }

    /// Changes where every event and its facts live.
    pub fn sources(inner: Arc<dyn Provider>, change: fn(&mut Source)) -> Arc<dyn Provider> {
        Self::reading(inner, move |_, reading| {
            reading.map(|mut event| {
                change(&mut event.head.key.source);
                if let Meaning::Facts(facts) = &mut event.meaning {
                    facts.iter_mut().for_each(|fact| change(&mut fact.subject.source));
                }
                event
            })
        })
    }
}

impl Provider for Wrapped {
    fn name(&self) -> &ProviderName {
        &self.name
    }

    fn capabilities(&self) -> Capabilities {
        self.capabilities.clone()
    }

    fn longest_dunning_seconds(&self) -> i64 {
        self.longest_dunning_seconds
    }

    fn webhooks(&self) -> &dyn Webhooks {
        self
    }

    fn requests(&self) -> Option<&dyn Requests> {
        self.inner.requests()
    }
}

impl Webhooks for Wrapped {
    fn trust(&self) -> &Trust {
        &self.trust
    }

    fn claim(&self, headers: &Headers, limits: &Limits) -> Result<PresentedSignature, SignatureError> {
        self.inner.webhooks().claim(headers, limits).map(self.claim)
    }

    fn read(&self, delivery: &VerifiedDelivery) -> Result<Event, Unreadable> {
        (self.read)(delivery, self.inner.webhooks().read(delivery))
    }

    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        (self.same_content)(one, other, self.inner.webhooks().same_content(one, other))
    }
}
