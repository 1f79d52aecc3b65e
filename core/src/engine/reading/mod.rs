//! Decides what can be asked of what is stored: the projection, one customer, events, what a public id names, and whether
//! the store answers.

use std::collections::BTreeSet;

use crate::{
    engine::{Engine, Settings},
    error::StoreError,
    id::{CustomerId, CustomerKey, ObjectKind, ObjectRef, ProviderId, Source, Subject},
    snapshot::{Projection, Reading, customer::CustomerSnapshot},
    store::{ConflictQuery, EventQuery, StoredConflict, StoredEvent, StoredSubject, SubjectQuery, Wanted},
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
    /// Whether the store can be reached and has the tables of this version. It doesn't prove that the database can be
    /// written to.
    ///
    /// This waits as long as the store does; a caller that needs an answer in time sets a time-out.
    ///
    /// # Errors
    /// The store's.
    pub async fn ready(&self) -> Result<(), StoreError> {
        self.store.ready().await
    }

    /// Reads the projection.
    ///
    /// # Errors
    /// The store's.
    pub async fn projection(&self, query: &ProjectionQuery) -> Result<Projection, StoreError> {
        let filter = SubjectQuery { source: query.source.clone(), ..SubjectQuery::default() };
        let subjects = self.all_subjects(filter).await?;
        Ok(Projection::of(subjects.iter().map(StoredSubject::parts), self.reading(query.as_of)))
    }

    /// Reads one customer of the application: a snapshot for each source that knows one, so that live and test never mix.
    /// None when nobody has heard of it. A provider's id means nothing here; see
    /// [`provider_customer`](Self::provider_customer).
    ///
    /// # Errors
    /// The store's.
    pub async fn customer(&self, id: &CustomerId, as_of: Timestamp) -> Result<Vec<CustomerSnapshot>, StoreError> {
        self.customer_where(&CustomerKey::Application(id.clone()), None, as_of).await
    }

    /// Reads one customer of the application at one source.
    ///
    /// # Errors
    /// The store's.
    pub async fn customer_at(
        &self,
        source: &Source,
        id: &CustomerId,
        as_of: Timestamp,
    ) -> Result<Option<CustomerSnapshot>, StoreError> {
        let key = CustomerKey::Application(id.clone());
        Ok(self.customer_where(&key, Some(source), as_of).await?.pop())
    }

    /// Reads one customer of a provider by the provider's id, for operators. The snapshot names the application's customer
    /// that claims this one, if there is one, and shows what belongs to nobody in the application: what is claimed stands
    /// in the snapshots of its owner.
    ///
    /// # Errors
    /// The store's.
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

    /// Every subject that a customer's answers come from, at one source or at all.
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

    /// Adds the other objects of the sales that are there: a payment that names no owner itself may still have been
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
    /// The store's.
    pub async fn events(&self, query: &EventQuery) -> Result<Vec<StoredEvent>, StoreError> {
        self.store.events(query).await
    }

    /// Lists bodies that contradict an event which stands: the provider, or somebody with its secret, sent another content
    /// under an event id that was taken. Each was refused and is kept.
    ///
    /// # Errors
    /// The store's.
    pub async fn conflicts(&self, query: &ConflictQuery) -> Result<Vec<StoredConflict>, StoreError> {
        self.store.conflicts(query).await
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

/// Whether objects of a kind belong to a subject that another object names.
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
