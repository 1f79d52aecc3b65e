//! Decides what can be asked of what is stored: the projection, one customer, events, and what a public id names.

use std::collections::BTreeSet;

use crate::{
    engine::Engine,
    error::StoreError,
    id::{CustomerId, ObjectKind, ObjectRef, ProviderId, Source, Subject},
    snapshot::{Projection, Reading, customer::CustomerSnapshot},
    store::{EventQuery, StoredEvent, StoredSubject, SubjectQuery},
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

    /// Finds the event that a receipt or a line of the log names by its public id, `event_…`, with its body. One look into
    /// an index.
    ///
    /// # Errors
    /// The store's.
    pub async fn event_by_public_id(&self, public_id: &str) -> Result<Option<StoredEvent>, StoreError> {
        let query = EventQuery { public_id: Some(public_id.to_owned()), limit: 1, ..EventQuery::default() };
        Ok(self.store.events(&query).await?.pop())
    }

    /// Finds what is known of the object that a receipt, a snapshot or a line of the log names by its public id,
    /// `subscription_…` for one: the subject that it belongs to, a refund's payment for one, with the folded state of all
    /// its objects. None when nobody has heard of it.
    ///
    /// A customer, a checkout, a subscription, an invoice, a payment, a schedule, a price or a product is one look into an
    /// index. A member of a payment or an invoice (a charge, a refund, a dispute, a credit, a reversal) is looked for in
    /// every subject, page by page.
    ///
    /// # Errors
    /// The store's.
    pub async fn object_by_public_id(&self, public_id: &str) -> Result<Option<StoredSubject>, StoreError> {
        let query = SubjectQuery { public_id: Some(public_id.to_owned()), limit: 1, ..SubjectQuery::default() };
        if let Some(found) = self.store.subjects(&query).await?.pop() {
            return Ok(Some(found));
        }
        let kind = public_id.split('_').next().and_then(|kind| kind.parse().ok());
        if !kind.is_some_and(is_member) {
            return Ok(None);
        }
        let named = |stored: &StoredSubject| {
            let id =
                |root: &ObjectRef| Subject { source: stored.subject.source.clone(), root: root.clone() }.public_id();
            stored.state.objects().any(|(object, _)| id(object) == public_id)
        };
        let mut after = None;
        loop {
            let query = SubjectQuery { after, limit: PAGE, ..SubjectQuery::default() };
            let page = self.store.subjects(&query).await?;
            let Some(last) = page.last() else { return Ok(None) };
            after = Some(last.subject.clone());
            if let Some(found) = page.into_iter().find(named) {
                return Ok(Some(found));
            }
        }
    }

    pub(super) fn reading(&self, as_of: Timestamp) -> Reading<'_> {
        Reading { catalog: &self.settings.catalog, policy: &self.settings.policy, as_of }
    }

    pub(super) async fn all_subjects(&self, filter: SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
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

/// Whether objects of a kind belong to a subject that another object names.
fn is_member(kind: ObjectKind) -> bool {
    match kind {
        ObjectKind::Charge | ObjectKind::Credit | ObjectKind::Dispute | ObjectKind::Refund | ObjectKind::Reversal => {
            true
        }
        ObjectKind::Checkout
        | ObjectKind::Customer
        | ObjectKind::Invoice
        | ObjectKind::Payment
        | ObjectKind::Price
        | ObjectKind::Product
        | ObjectKind::Schedule
        | ObjectKind::Subscription => false,
    }
}
