//! Decides what can be asked of what is stored: the projection, one customer, events, and whether the store answers.

use std::collections::BTreeSet;

use crate::{
    engine::Engine,
    error::StoreError,
    id::{CustomerId, EventKey, Mode, ObjectKind, ObjectRef, ProviderId, ProviderName, Source, Subject},
    snapshot::{Projection, Reading, customer::CustomerSnapshot},
    store::{EventQuery, StoredEvent, StoredSubject, SubjectQuery, Wanted},
    time::Timestamp,
};

/// How many subjects are read at a time.
const PAGE: u32 = 500;

/// Which projection is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionQuery {
    /// Only what lives here; none takes everything, which is meant for databases with one source.
    pub source: Option<Source>,
    /// The reader's clock.
    pub as_of: Timestamp,
}

impl Engine {
    /// Asks the store for an event and a subject that don't exist. An answer proves that the database can be reached and
    /// has the tables that a delivery is loaded from. It doesn't prove that the database can be written to.
    ///
    /// This waits as long as the store does; a caller that needs an answer in time sets a time-out.
    ///
    /// # Errors
    /// The store's.
    pub async fn ready(&self) -> Result<(), StoreError> {
        let provider = ProviderName::new("readiness").expect("short plain text is a name");
        let source = Source { provider, account: None, mode: Mode::Test };
        // No provider gives such an id, and an empty body is never read as an event.
        let id = ProviderId::of_body(b"");
        let root = ObjectRef::new(ObjectKind::Customer, id.clone());
        let wanted =
            Wanted { events: vec![EventKey { source: source.clone(), id }], subjects: vec![Subject { source, root }] };
        self.store.load(&wanted).await.map(drop)
    }

    /// Reads the projection.
    ///
    /// # Errors
    /// The store's.
    pub async fn projection(&self, query: &ProjectionQuery) -> Result<Projection, StoreError> {
        let filter = SubjectQuery { source: query.source.clone(), ..SubjectQuery::default() };
        let subjects = self.all_subjects(filter).await?;
        Ok(Projection::of(&subjects, self.reading(query.as_of)))
    }

    /// Reads one customer, by the application's id or by the provider's: a snapshot for each source that knows one, so
    /// that live and test never mix. None when nobody has heard of it.
    ///
    /// # Errors
    /// The store's.
    pub async fn customer(&self, id: &CustomerId, as_of: Timestamp) -> Result<Vec<CustomerSnapshot>, StoreError> {
        let by_owner = SubjectQuery { owner: Some(id.clone()), ..SubjectQuery::default() };
        let mut subjects = self.all_subjects(by_owner).await?;
        let mut customers: BTreeSet<ProviderId> = subjects
            .iter()
            .filter(|stored| stored.subject.root.kind == ObjectKind::Customer)
            .map(|stored| stored.subject.root.id.clone())
            .collect();
        customers.extend(ProviderId::new(id.as_str()));
        let of_customers = SubjectQuery { customers: Some(customers.into_iter().collect()), ..SubjectQuery::default() };
        subjects.extend(self.all_subjects(of_customers).await?);
        subjects.sort_by(|one, other| one.subject.cmp(&other.subject));
        subjects.dedup_by(|one, other| one.subject == other.subject);
        Ok(Projection::of(&subjects, self.reading(as_of)).customer(id.as_str()))
    }

    /// Lists events with their bodies.
    ///
    /// # Errors
    /// The store's.
    pub async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        self.store.events(query).await
    }

    fn reading(&self, as_of: Timestamp) -> Reading<'_> {
        Reading { catalog: &self.settings.catalog, policy: &self.settings.policy, as_of }
    }

    async fn all_subjects(&self, filter: SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
        let mut all = Vec::new();
        loop {
            let after = all.last().map(|stored: &StoredSubject| stored.subject.clone());
            let query = SubjectQuery { after, limit: PAGE, ..filter.clone() };
            let page = self.store.subjects(&query).await?;
            let done = page.len() < PAGE as usize;
            all.extend(page);
            if done {
                return Ok(all);
            }
        }
    }
}
