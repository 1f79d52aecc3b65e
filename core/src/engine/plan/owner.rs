//! Settles the owner of subjects that don't name one themselves. Such a subject inherits the owner of a relative (the
//! object it is for or came from), over any number of steps. Until it has an owner it waits for its relatives, and is
//! derived again whenever one of them is written, so the result doesn't depend on the order of arrival.

use std::collections::BTreeSet;

use crate::{
    engine::plan::{Plan, Planned},
    fold::Owner,
    id::{ObjectKind, Subject},
};

impl Plan<'_> {
    /// Settles the owner of every written subject, and of every subject that waits for one of them.
    pub(in crate::engine) fn settle_owners(&mut self) -> Planned {
        self.take_waiting()?;
        self.need_relatives()?;
        let written: Vec<Subject> = self.drafts.keys().filter(|subject| subject.needs_owner()).cloned().collect();
        for subject in written {
            let via = self.owner_through(&subject, &mut BTreeSet::new());
            let draft = self.draft(&subject);
            let own = draft.state.own_owner().is_some();
            draft.state.take_owner(via.filter(|_| !own));
            if !own {
                self.touch_relatives(&subject);
            }
        }
        Ok(())
    }

    /// Adds to the commit, over any number of steps, the subjects that wait for a written subject.
    fn take_waiting(&mut self) -> Planned {
        loop {
            let waiting: BTreeSet<Subject> = self
                .drafts
                .keys()
                .flat_map(|subject| self.view.waiting(subject))
                .filter(|subject| !self.drafts.contains_key(*subject))
                .cloned()
                .collect();
            if waiting.is_empty() {
                return Ok(());
            }
            Self::need(waiting.iter().filter(|subject| !self.view.has_subject(subject)).cloned())?;
            for subject in waiting {
                self.draft(&subject);
            }
        }
    }

    /// Requests, over any number of steps, the relatives that a written subject without its own owner could inherit
    /// from.
    fn need_relatives(&self) -> Planned {
        let mut seen = BTreeSet::new();
        let mut missing = BTreeSet::new();
        let mut open: Vec<Subject> = self.drafts.keys().cloned().collect();
        while let Some(subject) = open.pop() {
            if !subject.needs_owner() || !seen.insert(subject.clone()) {
                continue;
            }
            if !self.view.has_subject(&subject) {
                missing.insert(subject);
                continue;
            }
            // A subject that was requested and doesn't exist has no relatives to follow.
            if let Some(state) = self.state(&subject).filter(|state| state.own_owner().is_none()) {
                open.extend(state.relatives(&subject));
            }
        }
        Self::need(missing)
    }

    /// The owner of a subject's relatives, over any number of steps: of its subscriptions, else its invoices,
    /// payments or checkouts. Relatives of one kind that belong to different customers give no owner.
    fn owner_through(&self, subject: &Subject, seen: &mut BTreeSet<Subject>) -> Option<Owner> {
        if !seen.insert(subject.clone()) {
            return None;
        }
        let state = self.state(subject)?;
        if let Some(own) = state.own_owner() {
            return Some(own);
        }
        let found = self.owner_of_relatives(&state.relatives(subject), seen);
        match found {
            // Other objects name different owners of this subject, so no customer of the application owns it.
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

    /// Writes the relatives that a subject newly waits for, so that a concurrent writer that settles their owner
    /// fails and sees the wait.
    fn touch_relatives(&mut self, subject: &Subject) {
        let relatives = self.state(subject).map(|state| state.relatives(subject)).unwrap_or_default();
        for relative in relatives {
            if self.view.has_subject(&relative) && !self.view.pending_owners(subject, &relative) {
                self.draft(&relative);
            }
        }
    }
}
