//! Decides whom a subject belongs to when it doesn't say so itself: it takes the owner of what it is for or came from,
//! over any number of steps. A subject without an owner of its own waits for those it could take one from, and is
//! derived anew whenever one of them is written, so that the order of arrival can't show.

use std::collections::BTreeSet;

use crate::{
    engine::plan::Plan,
    error::StoreError,
    fold::Owner,
    id::{ObjectKind, Subject},
    store::Wanted,
};

impl Plan<'_> {
    /// Settles the owner of every written subject, and of every subject that waits for one of them.
    pub(super) async fn settle_owners(&mut self) -> Result<(), StoreError> {
        self.load_waiting().await?;
        self.load_relatives().await?;
        let ownerless: Vec<Subject> = self
            .subjects
            .iter()
            .filter(|(subject, draft)| draft.dirty && subject.needs_owner())
            .map(|(subject, _)| subject.clone())
            .collect();
        for subject in ownerless {
            let via = self.owner_through(&subject, &mut BTreeSet::new());
            let own = self.subjects.get(&subject).is_some_and(|draft| draft.state.own_owner().is_some());
            if let Some(draft) = self.subjects.get_mut(&subject) {
                draft.state.take_owner(via.filter(|_| !own));
            }
            if !own {
                self.touch_relatives(&subject);
            }
        }
        Ok(())
    }

    /// Loads, over any number of steps, those that wait for a subject that is written; they are written too.
    async fn load_waiting(&mut self) -> Result<(), StoreError> {
        loop {
            let waiting: BTreeSet<Subject> = self
                .subjects
                .iter()
                .filter(|(_, draft)| draft.dirty)
                .flat_map(|(subject, _)| self.waits.get(subject).into_iter().flatten().cloned())
                .filter(|subject| !self.subjects.get(subject).is_some_and(|draft| draft.dirty))
                .collect();
            if waiting.is_empty() {
                return Ok(());
            }
            self.load(waiting.iter().filter(|subject| !self.waits.contains_key(subject)).cloned().collect()).await?;
            for subject in waiting {
                if let Some(draft) = self.subjects.get_mut(&subject) {
                    draft.dirty = true;
                }
            }
        }
    }

    /// Loads, over any number of steps, those that a written subject without an owner of its own could take one from.
    async fn load_relatives(&mut self) -> Result<(), StoreError> {
        loop {
            let mut seen = BTreeSet::new();
            let mut missing = BTreeSet::new();
            let mut open: Vec<&Subject> =
                self.subjects.iter().filter(|(_, draft)| draft.dirty).map(|(subject, _)| subject).collect();
            let mut found = Vec::new();
            while let Some(subject) = open.pop().cloned().or_else(|| found.pop()) {
                if !seen.insert(subject.clone()) || !subject.needs_owner() {
                    continue;
                }
                let Some(draft) = self.subjects.get(&subject) else {
                    missing.insert(subject);
                    continue;
                };
                if draft.state.own_owner().is_none() {
                    found.extend(draft.state.relatives(&subject));
                }
            }
            if missing.is_empty() {
                return Ok(());
            }
            self.load(missing.into_iter().collect()).await?;
        }
    }

    pub(super) async fn load(&mut self, subjects: Vec<Subject>) -> Result<(), StoreError> {
        if subjects.is_empty() {
            return Ok(());
        }
        let wanted = Wanted { events: Vec::new(), subjects };
        let loaded = self.engine.store().load(&wanted).await?;
        self.add(loaded, wanted.subjects);
        Ok(())
    }

    /// The owner that the relatives of a subject have: of its subscriptions, else its invoices, payments or checkouts,
    /// over any number of steps. Relatives of one kind that belong to different customers say nothing.
    fn owner_through(&self, subject: &Subject, seen: &mut BTreeSet<Subject>) -> Option<Owner> {
        if !seen.insert(subject.clone()) {
            return None;
        }
        let state = &self.subjects.get(subject)?.state;
        if let Some(own) = state.own_owner() {
            return Some(own);
        }
        let found = self.owner_of_relatives(&state.relatives(subject), seen);
        match found {
            // Others name different owners of this one: nobody of the application owns it.
            Some(Owner::Application(_)) if state.links().owners_contradict() => None,
            Some(Owner::Both(_, customer)) if state.links().owners_contradict() => Some(Owner::Provider(customer)),
            found => found,
        }
    }

    fn owner_of_relatives(&self, relatives: &[Subject], seen: &mut BTreeSet<Subject>) -> Option<Owner> {
        for kind in [ObjectKind::Subscription, ObjectKind::Invoice, ObjectKind::Payment, ObjectKind::Checkout] {
            let of_kind = relatives.iter().filter(|relative| relative.root.kind == kind);
            let owners: BTreeSet<Owner> = of_kind.filter_map(|relative| self.owner_through(relative, seen)).collect();
            match owners.len() {
                0 => {}
                1 => return owners.into_iter().next(),
                _ => return None,
            }
        }
        None
    }

    /// Writes those that a subject newly waits for, so that a writer who brings their owner at the same time fails and
    /// sees the wait.
    fn touch_relatives(&mut self, subject: &Subject) {
        let Some(draft) = self.subjects.get(subject) else { return };
        for relative in draft.state.relatives(subject) {
            let known = self.waits.get(&relative).is_some_and(|waiting| waiting.contains(subject));
            if !known && let Some(draft) = self.subjects.get_mut(&relative) {
                draft.dirty = true;
            }
        }
    }
}
