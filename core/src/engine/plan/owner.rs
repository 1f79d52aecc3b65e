//! Decides whom a subject belongs to when it doesn't say so itself: it takes the owner of what it is for or came from,
//! over any number of steps. A subject without an owner of its own waits for those it could take one from, and is
//! derived anew whenever one of them is written, so that the order of arrival can't show.

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

    /// Writes, over any number of steps, those that wait for a subject that is written.
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

    /// Needs, over any number of steps, those that a written subject without an owner of its own could take one from.
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
            // One that is asked for and not there has nothing that it could take an owner from.
            if let Some(state) = self.state(&subject).filter(|state| state.own_owner().is_none()) {
                open.extend(state.relatives(&subject));
            }
        }
        Self::need(missing)
    }

    /// The owner that the relatives of a subject have: of its subscriptions, else its invoices, payments or checkouts,
    /// over any number of steps. Relatives of one kind that belong to different customers say nothing.
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
        let relatives = self.state(subject).map(|state| state.relatives(subject)).unwrap_or_default();
        for relative in relatives {
            if self.view.has_subject(&relative) && !self.view.pending_owners(subject, &relative) {
                self.draft(&relative);
            }
        }
    }
}
