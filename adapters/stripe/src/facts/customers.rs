//! Reads a customer. This module does not know what the customer bought.

use purchase_core::{
    fact::object_state::{Customer, ObjectState, Private},
    id::ObjectKind,
    provider::ReadFault,
    wire::collect::{Attribution, Collector},
};

use super::{Moment, Reading};
use crate::wire::View;

/// `customer`. Its own metadata names its owner.
pub(super) fn customer(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let root = reading.root(ObjectKind::Customer)?;
    facts.observation(&root, reading.observation(&root, observation)?);
    facts.belongs(&root, &Attribution { customer: None, ..reading.attribution()? });
    Ok(())
}

fn observation(view: &View<'_, '_>, moment: Moment<'_>) -> Result<ObjectState, ReadFault> {
    let tombstone = view.at("deleted").flag()?.unwrap_or(false);
    Ok(ObjectState::Customer(Customer {
        email: view.at("email").text()?.map(Private::new),
        name: view.at("name").text()?.map(Private::new),
        deleted: tombstone || moment.is_end(),
        archived: false,
        bare: tombstone && !view.has_key("email"),
    }))
}
