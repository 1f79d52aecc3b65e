//! Compares customers' answers between two states of a store, with the events that caused each difference. An answer
//! is what a customer may use. It is read as [`Engine::customer`] reads it, one customer at a time, so that no more
//! than one customer is held in memory.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    engine::{
        Engine,
        operating::report::{Answer, AnswerChange, Reasons, RereadOptions, RereadReport},
    },
    error::StoreError,
    id::{CustomerKey, ObjectKind, ObjectRef, ProviderId, Source, Subject},
    snapshot::{Benefit, Projection},
    store::{StoredSubject, Wanted},
    time::Timestamp,
};

/// How many events one change names.
const EVENTS: usize = 20;

/// How many subjects one page loads.
const PAGE: usize = 100;

/// What one customer may use: by benefit, the displayed name and the answer.
type Answers = BTreeMap<String, (String, Answer)>;

impl Engine {
    /// Lists the answers that differ between this engine's store and another's, where only these subjects differ.
    pub(in crate::engine) async fn compare_answers(
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
                    customer: shown(&who),
                    linked: matches!(who, CustomerKey::Application(_)),
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

    /// The customers who owned the changed subjects, and who own them now.
    async fn concerned(&self, changed: &[StoredSubject]) -> Result<BTreeSet<(Source, CustomerKey)>, StoreError> {
        let mut concerned = BTreeSet::new();
        for page in changed.chunks(PAGE) {
            let subjects = page.iter().map(|stored| stored.subject.clone()).collect();
            let before = self.store.load(&Wanted::subjects(subjects)).await?.subjects;
            let mut customers = BTreeSet::new();
            for StoredSubject { subject, state, .. } in before.iter().chain(page) {
                let is_customer = subject.root.kind == ObjectKind::Customer;
                let customer = if is_customer { Some(&subject.root.id) } else { state.customer() };
                customers.extend(customer.map(|id| customer_of(&subject.source, id)));
                let owner = state.application_customer().cloned().map(CustomerKey::Application);
                concerned.extend(owner.map(|owner| (subject.source.clone(), owner)));
            }
            // The customers that a provider's customer is linked to. If that link changes, the provider's customer is
            // itself among the changed subjects.
            let subjects = customers.iter().cloned().collect();
            for StoredSubject { subject, state, .. } in self.store.load(&Wanted::subjects(subjects)).await?.subjects {
                let owner = state.application_customer().cloned().map(CustomerKey::Application);
                concerned.extend(owner.map(|owner| (subject.source, owner)));
            }
            concerned.extend(customers.into_iter().map(|Subject { source, root }| {
                let key = CustomerKey::Provider { source: source.clone(), id: root.id };
                (source, key)
            }));
        }
        Ok(concerned)
    }

    /// What one customer may use at one source, and the subjects that the answers are derived from.
    async fn answers_of(
        &self,
        source: &Source,
        who: &CustomerKey,
        as_of: Timestamp,
    ) -> Result<(Answers, Vec<Subject>), StoreError> {
        let subjects = self.subjects_of(who, Some(source)).await?;
        let projection = Projection::of(subjects.iter().map(StoredSubject::parts), self.reading(as_of));
        let benefits = projection.benefits(source).remove(who).unwrap_or_default();
        let answer = |(benefit, it): (String, Benefit)| {
            (benefit, (it.name, Answer { access: it.access, until: it.until, quantity: it.quantity }))
        };
        let answers = benefits.into_iter().map(answer).collect();
        Ok((answers, subjects.into_iter().map(|stored| stored.subject).collect()))
    }
}

fn customer_of(source: &Source, id: &ProviderId) -> Subject {
    Subject { source: source.clone(), root: ObjectRef::new(ObjectKind::Customer, id.clone()) }
}

/// A customer in readable form: the application's id, or a public id.
fn shown(who: &CustomerKey) -> String {
    match who {
        CustomerKey::Application(id) => id.as_str().to_owned(),
        CustomerKey::Provider { source, id } => customer_of(source, id).public_id(),
    }
}
