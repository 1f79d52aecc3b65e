//! Decides how one adapter wraps another: it answers as the wrapped one does, except for what is overridden. Mutants
//! use it, and so do tests that need an adapter with a single difference from a correct one.

use std::sync::Arc;

use purchase_core::{
    capability::Capabilities,
    delivery::{Headers, Limits},
    fact::Fact,
    id::{ProviderName, Source},
    provider::{Event, Meaning, Provider, Requests, Unreadable, Webhooks},
    verify::{PresentedSignature, SignatureError, Trust, VerifiedDelivery},
};

/// Reads a delivery, given the correct adapter's reading.
pub type Reread = dyn Fn(&VerifiedDelivery, Result<Event, Unreadable>) -> Result<Event, Unreadable> + Send + Sync;

/// Compares two bodies, given the correct adapter's answer.
pub type Compare = dyn Fn(&[u8], &[u8], bool) -> bool + Send + Sync;

/// A correct adapter with overrides.
pub struct Wrapped {
    /// The correct adapter.
    pub inner: Arc<dyn Provider>,
    /// The adapter's name.
    pub name: ProviderName,
    /// The declared capabilities.
    pub capabilities: Capabilities,
    /// The declared longest dunning.
    pub longest_dunning_seconds: i64,
    /// The trust: secrets and tolerance.
    pub trust: Trust,
    /// Changes the signatures that were found.
    pub presented: fn(PresentedSignature) -> PresentedSignature,
    /// Changes a reading.
    pub read: Box<Reread>,
    /// Changes a comparison.
    pub same_content: Box<Compare>,
}

impl Wrapped {
    /// Answers exactly as the adapter does.
    pub fn new(inner: Arc<dyn Provider>) -> Self {
        Self {
            name: inner.name().clone(),
            capabilities: inner.capabilities(),
            longest_dunning_seconds: inner.longest_dunning_seconds(),
            trust: inner.webhooks().trust().clone(),
            presented: |presented| presented,
            read: Box::new(|_, reading| reading),
            same_content: Box::new(|_, _, same| same),
            inner,
        }
    }

    /// Overrides how a delivery is read.
    pub fn reading(
        inner: Arc<dyn Provider>,
        read: impl Fn(&VerifiedDelivery, Result<Event, Unreadable>) -> Result<Event, Unreadable> + Send + Sync + 'static,
    ) -> Arc<dyn Provider> {
        Arc::new(Self { read: Box::new(read), ..Self::new(inner) })
    }

    /// Overrides the facts of every event.
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

    /// Overrides the source of every event and its facts.
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

    fn presented_signature(&self, headers: &Headers, limits: &Limits) -> Result<PresentedSignature, SignatureError> {
        self.inner.webhooks().presented_signature(headers, limits).map(self.presented)
    }

    fn read(&self, delivery: &VerifiedDelivery) -> Result<Event, Unreadable> {
        (self.read)(delivery, self.inner.webhooks().read(delivery))
    }

    fn same_content(&self, one: &[u8], other: &[u8]) -> bool {
        (self.same_content)(one, other, self.inner.webhooks().same_content(one, other))
    }
}
