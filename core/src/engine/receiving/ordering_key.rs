//! Chooses the ordering key of an event in the queue. Events with the same ordering key are claimed in order;
//! different ordering keys are independent.

use crate::{
    fact::Link,
    id::{ObjectKind, ObjectRef},
    provider::{Event, Meaning, Unreadable},
};

/// The provider's customer that an event names, else the first object it is about. An event that concerns no object,
/// or can't be read, has no ordering key and waits for no other event.
pub(in crate::engine) fn ordering_key(reading: &Result<Event, Unreadable>) -> Option<ObjectRef> {
    let Ok(Event { meaning: Meaning::Facts(facts), .. }) = reading else { return None };
    let named = facts.iter().flat_map(|fact| &fact.links).find_map(|link| {
        let Link::Customer(id) = link else { return None };
        Some(ObjectRef::new(ObjectKind::Customer, id.clone()))
    });
    let is_customer = |root: &&ObjectRef| root.kind == ObjectKind::Customer;
    let roots = || facts.iter().map(|fact| &fact.subject.root);
    named.or_else(|| roots().find(is_customer).or_else(|| roots().next()).cloned())
}
