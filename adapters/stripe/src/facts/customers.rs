//! Decides what an event says of a customer. It doesn't know what the customer bought.

use purchase_core::{
    fact::photo::{Customer, Photo, Private},
    id::ObjectKind,
    provider::ReadFault,
    wire::collect::{Collector, Ties},
};

use super::{Moment, Reading};
use crate::wire::View;

/// `customer`. Its own metadata names its owner.
pub(super) fn customer(reading: &Reading<'_>, facts: &mut Collector) -> Result<(), ReadFault> {
    let root = reading.root(ObjectKind::Customer)?;
    facts.sight(&root, reading.sight(&root, photograph)?);
    facts.belongs(&root, &Ties { customer: None, ..reading.ties()? });
    Ok(())
}

fn photograph(view: &View<'_, '_>, moment: Moment<'_>) -> Result<Photo, ReadFault> {
    let tombstone = view.at("deleted").flag()?.unwrap_or(false);
    Ok(Photo::Customer(Customer {
        email: view.at("email").text()?.map(Private::new),
        name: view.at("name").text()?.map(Private::new),
        deleted: tombstone || moment.is_end(),
        archived: false,
        bare: tombstone && !view.has_key("email"),
    }))
}
