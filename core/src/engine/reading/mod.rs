//! Queries over stored data: the projection, one customer, stored events, the object behind a public id, and whether
//! the store is ready.

use std::collections::BTreeSet;

use crate::{
    engine::{Engine, Settings},
    error::StoreError,
    id::{CustomerId, CustomerKey, ObjectKind, ObjectRef, ProviderId, Source, Subject},
    snapshot::{Projection, Reading, customer::CustomerSnapshot},
    store::{ConflictQuery, EventQuery, StoredConflict, StoredEvent, StoredSubject, SubjectQuery, Wanted},
    time::Timestamp,
};

/// How many subjects one page reads.
const PAGE: u32 = 500;

/// Which part of the projection to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectionQuery {
    /// Only this source. `None` reads every source, which is meant for databases with one source.
    pub source: Option<Source>,
    /// The reader's clock.
    pub as_of: Timestamp,
}

impl Engine {
    /// Checks that the store is reachable and has the tables of this version. It doesn't prove that the database
    /// accepts writes.
    ///
    /// This waits as long as the store does. A caller that needs an answer in time must set its own timeout.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.store.ready().await
    }

    /// Reads the projection.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn projection(&self, query: &ProjectionQuery) -> Result<Projection, StoreError> {
        let filter = SubjectQuery { source: query.source.clone(), ..SubjectQuery::default() };
        let subjects = self.all_subjects(filter).await?;
        Ok(Projection::of(subjects.iter().map(StoredSubject::parts), self.reading(query.as_of)))
    }

    /// Reads one customer of the application. The result has one snapshot per source that knows the customer, so live
    /// and test data never mix; it is empty when no source knows the customer. The id is the application's, not a
    /// provider's; for that, see [`provider_customer`](Self::provider_customer).
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn customer(&self, id: &CustomerId, as_of: Timestamp) -> Result<Vec<CustomerSnapshot>, StoreError> {
        self.customer_where(&CustomerKey::Application(id.clone()), None, as_of).await
    }

    /// Reads one customer of the application at one source.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn customer_at(
        &self,
        source: &Source,
        id: &CustomerId,
        as_of: Timestamp,
    ) -> Result<Option<CustomerSnapshot>, StoreError> {
        let key = CustomerKey::Application(id.clone());
        Ok(self.customer_where(&key, Some(source), as_of).await?.pop())
    }

    /// Reads one customer of a provider by the provider's id, for operators. The snapshot names the application's
    /// customer that this one is linked to, if there is one. It shows only objects that no customer of the application
    /// owns; owned objects appear in their owner's snapshot.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn provider_customer(
        &self,
        source: &Source,
        id: &ProviderId,
        as_of: Timestamp,
    ) -> Result<Option<CustomerSnapshot>, StoreError> {
        let key = CustomerKey::Provider { source: source.clone(), id: id.clone() };
        Ok(self.customer_where(&key, Some(source), as_of).await?.pop())
    }

    async fn customer_where(
        &self,
        key: &CustomerKey,
        source: Option<&Source>,
        as_of: Timestamp,
    ) -> Result<Vec<CustomerSnapshot>, StoreError> {
        let subjects = self.subjects_of(key, source).await?;
        Ok(Projection::of(subjects.iter().map(StoredSubject::parts), self.reading(as_of)).customer(key))
    }

    /// Every subject that a customer's answers are derived from, at one source or at all sources.
    pub(in crate::engine) async fn subjects_of(
        &self,
        key: &CustomerKey,
        source: Option<&Source>,
    ) -> Result<Vec<StoredSubject>, StoreError> {
        let filter = SubjectQuery { source: source.cloned(), ..SubjectQuery::default() };
        let (mut subjects, customers) = match key {
            CustomerKey::Application(owner) => {
                let owned = self.all_subjects(SubjectQuery { owner: Some(owner.clone()), ..filter.clone() }).await?;
                let is_customer = |stored: &&StoredSubject| stored.subject.root.kind == ObjectKind::Customer;
                let named = |stored: &StoredSubject| (stored.subject.source.clone(), stored.subject.root.id.clone());
                let customers = owned.iter().filter(is_customer).map(named).collect();
                (owned, customers)
            }
            CustomerKey::Provider { source, id } => (Vec::new(), vec![(source.clone(), id.clone())]),
        };
        if !customers.is_empty() {
            subjects.extend(self.all_subjects(SubjectQuery { customers: Some(customers), ..filter }).await?);
        }
        self.add_sales(&mut subjects).await?;
        subjects.sort_by(|one, other| one.subject.cmp(&other.subject));
        subjects.dedup_by(|one, other| one.subject == other.subject);
        Ok(subjects)
    }

    /// Adds the other objects of the sales already found: a payment that names no owner itself may still have been
    /// refunded.
    async fn add_sales(&self, subjects: &mut Vec<StoredSubject>) -> Result<(), StoreError> {
        let is_sale = |subject: &Subject| {
            matches!(subject.root.kind, ObjectKind::Checkout | ObjectKind::Invoice | ObjectKind::Payment)
        };
        let mut asked: BTreeSet<Subject> = subjects.iter().map(|stored| stored.subject.clone()).collect();
        let mut from = 0;
        loop {
            let new = subjects[from..].iter().filter(|stored| is_sale(&stored.subject));
            let related = new.flat_map(|stored| stored.state.relatives(&stored.subject)).filter(is_sale);
            let missing: Vec<Subject> = related.filter(|subject| asked.insert(subject.clone())).collect();
            if missing.is_empty() {
                return Ok(());
            }
            from = subjects.len();
            subjects.extend(self.store.load(&Wanted::subjects(missing)).await?.subjects);
        }
    }

    /// Lists events with their bodies.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        self.store.events(query).await
    }

    /// Lists bodies that contradict a stored event: the provider, or somebody with its secret, sent different content
    /// under an event id that was already taken. Each was refused, and its body was kept.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError> {
        self.store.conflicts(query).await
    }

    /// Finds the event with this public id (`event_…`), as a receipt or a log line names it, with its body. This is
    /// one index look-up.
    ///
    /// # Errors
    /// Any error of the store.
    pub async fn event_by_public_id(&self, public_id: &str) -> Result<Option<StoredEvent>, StoreError> {
        let query = EventQuery { public_id: Some(public_id.to_owned()), limit: 1, ..EventQuery::default() };
        Ok(self.store.events(&query).await?.pop())
    }

    /// Finds an object by its public id (for example `subscription_…`), as a receipt, a snapshot or a log line names
    /// it. Returns the subject that the object belongs to (for a refund, its payment) with the folded state of all
    /// its objects. Returns `None` when the object is unknown.
    ///
    /// A customer, a checkout, a subscription, an invoice, a payment, a schedule, a price or a product takes one
    /// index look-up. For a member of a payment or an invoice (a charge, a refund, a dispute, a credit, a reversal),
    /// this scans every subject, page by page.
    ///
    /// # Errors
    /// Any error of the store.
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

    pub(in crate::engine) fn reading(&self, as_of: Timestamp) -> Reading<'_> {
        let Settings { catalog, policy, .. } = &self.settings;
        Reading { catalog, policy, dunning: &self.dunning, as_of }
    }

    pub(in crate::engine) async fn all_subjects(&self, filter: SubjectQuery) -> Result<Vec<StoredSubject>, StoreError> {
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

/// Whether objects of this kind belong to the subject of another object.
fn is_member(kind: ObjectKind) -> bool {
    match kind {
        ObjectKind::Charge
        | ObjectKind::Credit
        | ObjectKind::Dispute
        | ObjectKind::Refund
        | ObjectKind::Release
        | ObjectKind::Reversal => true,
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
