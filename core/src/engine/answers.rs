//! Decides whose answers differ between two states of a store, and why. An answer is what a customer may use: it is read as
//! [`Engine::customer`] reads it, one customer at a time, so that no more than one customer is held.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    engine::{
        Engine,
        reread::{Reasons, RereadOptions, RereadReport},
    },
    error::StoreError,
    id::{CustomerId, Mode, ObjectKind, ObjectRef, ProviderId, ProviderName, Source, Subject},
    snapshot::Projection,
    store::{StoredSubject, SubjectQuery, Wanted},
    time::{Timestamp, rfc3339_option},
};

/// How many events are named for one change.
const EVENTS: usize = 20;

/// How many subjects are loaded at a time.
const PAGE: usize = 100;

/// An answer that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AnswerChange {
    /// The adapter.
    pub provider: ProviderName,
    /// Live, test or simulated.
    pub mode: Mode,
    /// The application's id of the customer; where the provider's customer belongs to nobody in the application, its
    /// public id, `customer_…`.
    pub customer: String,
    /// Whether `customer` is the application's id.
    pub linked: bool,
    /// What it may or may not use, as in [`CustomerSnapshot`](crate::snapshot::customer::CustomerSnapshot).
    pub benefit: String,
    /// The answer as stored; none where nothing is said of it.
    pub before: Option<Answer>,
    /// The answer by this version.
    pub after: Option<Answer>,
    /// The events about the customer's objects whose reading changed, by public id, at most twenty. None where only the
    /// fold changed.
    pub events: Vec<String>,
    /// Events beyond those.
    pub events_left_off: u64,
}

/// Whether something may be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// Whether it may be used at the instant that was asked for.
    pub access: bool,
    /// Until when, as far as is known.
    #[serde(serialize_with = "rfc3339_option")]
    pub until: Option<Timestamp>,
    /// How many.
    pub quantity: Option<i64>,
}

/// Whose answers may differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Who {
    Application(CustomerId),
    Provider(ProviderId),
}

/// What one customer may use: by benefit, the name that is shown and the answer.
type Answers = BTreeMap<String, (String, Answer)>;

impl Engine {
    /// Lists the answers that differ between this engine's store and another's, where only these subjects differ.
    pub(super) async fn compare_answers(
        &self,
        after: &Engine,
        changed: &[StoredSubject],
        reasons: &Reasons,
        options: &RereadOptions,
        report: &mut RereadReport,
    ) -> Result<(), StoreError> {
        for (source, who) in self.concerned(changed).await? {
            let (old, old_subjects) = self.answers_of(&source, &who, options.as_of).await?;
            let (new, new_subjects) = after.answers_of(&source, &who, options.as_of).await?;
            if old == new {
                continue;
            }
            report.changed_customers += 1;
            let subjects: BTreeSet<&Subject> = old_subjects.iter().chain(&new_subjects).collect();
            let events: BTreeSet<&String> = subjects.into_iter().filter_map(|it| reasons.get(it)).flatten().collect();
            let benefits: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for benefit in benefits {
                let (before, after) = (old.get(benefit), new.get(benefit));
                let Some((name, _)) = before.or(after).filter(|_| before != after) else { continue };
                if report.changes.len() >= options.listed {
                    report.changes_left_off += 1;
                    continue;
                }
                report.changes.push(AnswerChange {
                    provider: source.provider.clone(),
                    mode: source.mode,
                    customer: who.shown(&source),
                    linked: matches!(who, Who::Application(_)),
                    benefit: name.clone(),
                    before: before.map(|(_, answer)| *answer),
                    after: after.map(|(_, answer)| *answer),
                    events: events.iter().take(EVENTS).map(|event| (*event).clone()).collect(),
                    events_left_off: events.len().saturating_sub(EVENTS) as u64,
                });
            }
        }
        Ok(())
    }

    /// Those to whom changed subjects belonged, and to whom they belong now.
    async fn concerned(&self, changed: &[StoredSubject]) -> Result<BTreeSet<(Source, Who)>, StoreError> {
        let mut concerned = BTreeSet::new();
        for page in changed.chunks(PAGE) {
            let subjects = page.iter().map(|stored| stored.subject.clone()).collect();
            let before = self.store.load(&Wanted { events: Vec::new(), subjects }).await?.subjects;
            let mut customers = BTreeSet::new();
            for StoredSubject { subject, state, .. } in before.iter().chain(page) {
                let is_customer = subject.root.kind == ObjectKind::Customer;
                let customer = if is_customer { Some(&subject.root.id) } else { state.customer() };
                customers.extend(customer.map(|id| customer_of(&subject.source, id)));
                let owner = state.application_customer().cloned().map(Who::Application);
                concerned.extend(owner.map(|owner| (subject.source.clone(), owner)));
            }
            // Whom a customer at the provider is linked to. Where that changes, the customer is among those that changed.
            let subjects = customers.iter().cloned().collect();
            for StoredSubject { subject, state, .. } in
                self.store.load(&Wanted { events: Vec::new(), subjects }).await?.subjects
            {
                let owner = state.application_customer().cloned().map(Who::Application);
                concerned.extend(owner.map(|owner| (subject.source, owner)));
            }
            concerned.extend(customers.into_iter().map(|subject| (subject.source, Who::Provider(subject.root.id))));
        }
        Ok(concerned)
    }

    /// What one customer may use at one source, and the subjects that it comes from.
    async fn answers_of(
        &self,
        source: &Source,
        who: &Who,
        as_of: Timestamp,
    ) -> Result<(Answers, Vec<Subject>), StoreError> {
        let of_source = SubjectQuery { source: Some(source.clone()), ..SubjectQuery::default() };
        let (mut subjects, mut customers) = (Vec::new(), BTreeSet::new());
        match who {
            Who::Application(owner) => {
                let query = SubjectQuery { owner: Some(owner.clone()), ..of_source.clone() };
                subjects = self.all_subjects(query).await?;
                let roots = subjects.iter().map(|stored| &stored.subject.root);
                customers.extend(roots.filter(|root| root.kind == ObjectKind::Customer).map(|root| root.id.clone()));
            }
            Who::Provider(customer) => {
                customers.insert(customer.clone());
            }
        }
        if !customers.is_empty() {
            let query = SubjectQuery { customers: Some(customers.into_iter().collect()), ..of_source };
            subjects.extend(self.all_subjects(query).await?);
        }
        subjects.sort_by(|one, other| one.subject.cmp(&other.subject));
        subjects.dedup_by(|one, other| one.subject == other.subject);
        let answers = answers(&Projection::of(&subjects, self.reading(as_of)), source, who);
        Ok((answers, subjects.into_iter().map(|stored| stored.subject).collect()))
    }
}

/// What a projection says of one customer at one source.
fn answers(projection: &Projection, source: &Source, who: &Who) -> Answers {
    let key = match who {
        Who::Application(id) => id.as_str(),
        Who::Provider(id) => id.expose(),
    };
    let benefits = projection.benefits(source).remove(key).unwrap_or_default();
    let answer = |(benefit, it): (String, crate::snapshot::Benefit)| {
        (benefit, (it.name, Answer { access: it.access, until: it.until, quantity: it.quantity }))
    };
    benefits.into_iter().map(answer).collect()
}

fn customer_of(source: &Source, id: &ProviderId) -> Subject {
    Subject { source: source.clone(), root: ObjectRef::new(ObjectKind::Customer, id.clone()) }
}

impl Who {
    fn shown(&self, source: &Source) -> String {
        match self {
            Who::Application(id) => id.as_str().to_owned(),
            Who::Provider(id) => customer_of(source, id).public_id(),
        }
    }
}
