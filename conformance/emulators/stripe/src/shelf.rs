//! Objects of one kind, by id and in the order in which they were created. Stripe's ids don't sort in that order.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Objects of one kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Shelf<T> {
    objects: BTreeMap<String, T>,
    order: Vec<String>,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { objects: BTreeMap::new(), order: Vec::new() }
    }
}

impl<T> Shelf<T> {
    pub(crate) fn add(&mut self, id: &str, object: T) {
        self.order.push(id.to_owned());
        self.objects.insert(id.to_owned(), object);
    }

    pub(crate) fn find(&self, id: &str) -> Option<&T> {
        self.objects.get(id)
    }

    /// An object that is known to exist: ids inside the world always lead somewhere, and objects are never removed.
    pub(crate) fn at(&self, id: &str) -> &T {
        self.objects.get(id).unwrap_or_else(|| panic!("{id} does not exist"))
    }

    /// The same, to be changed.
    pub(crate) fn change(&mut self, id: &str) -> &mut T {
        self.objects.get_mut(id).unwrap_or_else(|| panic!("{id} does not exist"))
    }

    /// Objects, oldest first.
    pub(crate) fn all(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.order.iter().filter_map(|id| self.objects.get(id))
    }
}
